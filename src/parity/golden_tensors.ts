import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import type { HostTensor, StateDict } from "../weights/mod.ts";
import { MissingGolden } from "./golden_folder.ts";

/** Golden tensors as the program takes them. */
export class GoldenTensors {
  readonly #tensors: StateDict;

  constructor(tensors: StateDict) {
    this.#tensors = tensors;
  }

  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /**
   * The tensor as it is in the file.
   *
   * @throws {MissingGolden} If it is not there, as do all that take a name.
   */
  host(name: string): HostTensor {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new MissingGolden(`its tensor "${name}" is missing`);
    return tensor;
  }

  /** A tensor on the device in the layout of the file; 64-bit integers become int32. */
  tensor<T extends Tensor>(name: string): T {
    const { data, shape } = this.host(name);
    if (data instanceof BigInt64Array) {
      return tf.tensor(Int32Array.from(data, Number), [...shape], "int32") as T;
    }
    return tf.tensor(Float32Array.from(data as Float32Array), [...shape], "float32") as T;
  }

  /** Activations or filters: channels second in the file, `[N, C, H, W]`, last here. */
  channelsLast(name: string): Tensor4D {
    return tf.tidy(() => this.tensor<Tensor4D>(name).transpose<Tensor4D>([0, 2, 3, 1]));
  }
}

/** Runs a comparison and frees all tensors that it made. */
export function tidied<T>(run: () => T): T {
  let result: T;
  tf.tidy(() => {
    result = run();
  });
  return result!;
}
