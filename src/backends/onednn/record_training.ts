import * as tf from "@tensorflow/tfjs";
import type { NamedTensorMap, TensorInfo } from "@tensorflow/tfjs";
import type { RecordedStep, StepInput, StepInputs } from "../in_place_backend.ts";
import type { DryCapture, NativeBackend } from "./native_backend.ts";

/** A training step as a list of native calls, which change weights in place. */
export class RecordedTraining<T extends NamedTensorMap> implements RecordedStep<T> {
  readonly #cpu: NativeBackend;
  readonly #inputs: ReadonlyMap<string, tf.Tensor>;
  readonly #capture: DryCapture<T>;
  readonly #overwrites: number;

  /** @throws {RecordingRefusedError} If something in `run` is not native. */
  constructor(cpu: NativeBackend, inputs: StepInputs, run: (inputs: NamedTensorMap) => T) {
    this.#cpu = cpu;
    this.#inputs = new Map(
      Object.entries(inputs).map(([name, { shape, dtype }]) => [
        name,
        toTensor(dtype === "int32" ? emptyIntegers(cpu, shape) : cpu.empty(shape)),
      ]),
    );
    try {
      this.#capture = cpu.captureDry(() =>
        tf.tidy(() => {
          const made = run(Object.fromEntries(this.#inputs));
          for (const tensor of Object.values(made)) tf.keep(tensor);
          return made;
        })
      );
    } catch (error) {
      tf.dispose([...this.#inputs.values()]);
      throw error;
    }
    this.#overwrites = cpu.overwrites;
  }

  get valid(): boolean {
    return this.#overwrites === this.#cpu.overwrites;
  }

  /** They are copied at once. */
  inputsTaken(): Promise<void> {
    return Promise.resolve();
  }

  replay(inputs: StepInputs): T {
    for (const [name, tensor] of this.#inputs) this.#send(inputs[name], tensor);
    this.#cpu.runProgram(this.#capture.program);
    for (const info of this.#capture.touched) this.#cpu.touch(info);
    const copies = Object.entries(this.#capture.results).map(([name, tensor]) => {
      const copy = this.#cpu.empty(tensor.shape);
      this.#cpu.floats(copy).set(this.#cpu.floats(tensor));
      return [name, toTensor(copy)];
    });
    return Object.fromEntries(copies) as T;
  }

  #send({ values }: StepInput, tensor: tf.Tensor): void {
    if (tensor.dtype === "int32") this.#cpu.ints(tensor).set(values);
    else if (values instanceof Uint8Array) {
      const memory = { bytes: values, floats: tensor };
      this.#cpu.run("siamban_widen_bytes", memory, { integers: [values.length] });
    } else this.#cpu.floats(tensor).set(values);
  }

  [Symbol.dispose](): void {
    tf.dispose(this.#capture.results);
    tf.dispose([...this.#inputs.values()]);
    this.#capture[Symbol.dispose]();
  }
}

function emptyIntegers(cpu: NativeBackend, shape: readonly number[]): TensorInfo {
  const length = shape.reduce((product, size) => product * size, 1);
  return cpu.makeTensorInfo([...shape], "int32", new Int32Array(length));
}

function toTensor({ dataId, shape, dtype }: TensorInfo): tf.Tensor {
  return tf.engine().makeTensorFromDataId(dataId, shape, dtype);
}
