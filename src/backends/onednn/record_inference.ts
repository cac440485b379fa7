import * as tf from "@tensorflow/tfjs";
import type { NamedTensorMap, TensorInfo } from "@tensorflow/tfjs";
import type { RecordedStep, StepInput, StepInputs } from "../in_place_backend.ts";
import type { NativeBackend } from "./native_backend.ts";
import type { Program } from "./recording.ts";

/** A network's forward pass as a list of native calls. */
export class RecordedInference<T extends NamedTensorMap> implements RecordedStep<T> {
  readonly #cpu: NativeBackend;
  readonly #inputs: ReadonlyMap<string, tf.Tensor>;
  readonly #results: T;
  readonly #program: Program;
  readonly #changes: number;

  /** @throws {RecordingRefusedError} If something in `run` is not native. */
  constructor(cpu: NativeBackend, inputs: StepInputs, run: (inputs: NamedTensorMap) => T) {
    this.#cpu = cpu;
    this.#inputs = new Map(
      Object.entries(inputs).map(([name, { shape }]) => [name, toTensor(cpu.empty(shape))]),
    );
    this.#send(inputs);
    try {
      const { program, results } = cpu.capture(() =>
        tf.tidy(() => {
          const made = run(Object.fromEntries(this.#inputs));
          for (const tensor of Object.values(made)) tf.keep(tensor);
          return made;
        })
      );
      this.#program = program;
      this.#results = results;
    } catch (error) {
      tf.dispose([...this.#inputs.values()]);
      throw error;
    }
    this.#changes = cpu.changes;
  }

  get valid(): boolean {
    return this.#changes === this.#cpu.changes;
  }

  /** They are copied at once. */
  inputsTaken(): Promise<void> {
    return Promise.resolve();
  }

  replay(inputs: StepInputs): T {
    this.#send(inputs);
    this.#cpu.runProgram(this.#program);
    const copies = Object.entries(this.#results).map(([name, { dataId, shape }]) => {
      const copy = this.#cpu.empty(shape);
      this.#cpu.floats(copy).set(this.#cpu.floats({ dataId, shape, dtype: "float32" }));
      return [name, toTensor(copy)];
    });
    return Object.fromEntries(copies) as T;
  }

  #send(inputs: StepInputs): void {
    for (const [name, tensor] of this.#inputs) this.#sendOne(inputs[name], tensor);
  }

  #sendOne({ values }: StepInput, tensor: tf.Tensor): void {
    if (values instanceof Uint8Array) {
      const memory = { bytes: values, floats: tensor };
      this.#cpu.run("siamban_widen_bytes", memory, { integers: [values.length] });
    } else this.#cpu.floats(tensor).set(values);
  }

  [Symbol.dispose](): void {
    tf.dispose(this.#results);
    tf.dispose([...this.#inputs.values()]);
  }
}

function toTensor({ dataId, shape, dtype }: TensorInfo): tf.Tensor {
  return tf.engine().makeTensorFromDataId(dataId, shape, dtype);
}
