import * as tf from "@tensorflow/tfjs";
import type { Rank, ShapeMap, TensorInfo, Variable } from "@tensorflow/tfjs";

/** A tensor that a module owns for its whole life; its values change in place. */
abstract class OwnedTensor<R extends Rank> {
  /** The tensor; ops take it as it is. */
  readonly tensor: Variable<R>;

  /**
   * @param shape Sizes, in the program's layout.
   * @param fill Value of all elements.
   */
  constructor(shape: ShapeMap[R], fill: number) {
    this.tensor = tf.tidy(() => tf.variable(tf.fill<R>(shape, fill, "float32")));
  }

  /** Sizes, in the program's layout: `[out, kh, kw, in / groups]` for a convolution. */
  get shape(): readonly number[] {
    return this.tensor.shape;
  }

  /**
   * Replaces all values, in place.
   *
   * @throws {RangeError} If their number is wrong.
   */
  overwrite(values: ArrayLike<number>): void {
    if (values.length !== this.tensor.size) {
      throw new RangeError(
        `Cannot overwrite a tensor [${this.shape}]: got ${values.length} values, expected ${this.tensor.size}`,
      );
    }
    overwrite(this.tensor, values);
  }

  dispose(): void {
    this.tensor.dispose();
  }
}

/** A tensor that is learned. */
export class Parameter<R extends Rank = Rank> extends OwnedTensor<R> {
  /** Whether it takes part in training; a frozen one gets no gradient. */
  trainable = true;
}

/** A tensor that is kept with the weights but not learned, such as running statistics. */
export class ModuleBuffer<R extends Rank = Rank> extends OwnedTensor<R> {}

/** A count that is kept with the weights; a PyTorch checkpoint has it as an int64 scalar. */
export class Counter {
  value = 0;
  readonly shape: readonly number[] = [];

  dispose(): void {}
}

/** Our backends write into a tensor's memory and count the change, so that no stale copy survives. */
interface InPlaceBackend {
  overwrite(tensor: TensorInfo, values: ArrayLike<number>): void;
}

function overwrite(tensor: Variable, values: ArrayLike<number>): void {
  const backend = tf.backend() as Partial<InPlaceBackend>;
  if (backend.overwrite) return backend.overwrite(tensor, values);
  tf.tidy(() => tensor.assign(tf.tensor(Float32Array.from(values), tensor.shape)));
}
