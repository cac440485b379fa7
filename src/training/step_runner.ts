import * as tf from "@tensorflow/tfjs";
import type { NamedTensorMap, Scalar, Tensor1D } from "@tensorflow/tfjs";
import {
  type RecordedStep,
  type RecordingBackend,
  RecordingRefusedError,
} from "../backends/mod.ts";
import type { BatchTensors, SiamBAN } from "../models/siamban.ts";
import { namedEntries } from "../nn/module.ts";
import { Counter } from "../nn/parameter.ts";
import type { Sgd } from "./optimizer.ts";
import {
  batchInputs,
  type HostBatch,
  type StepOptions,
  type StepTensors,
  toBatchTensors,
  trainStep,
} from "./step.ts";

/** Steps that are taken one op at a time before one is recorded: caches fill, algorithms are chosen. */
const WARM_UP_STEPS = 3;

/** Tensors of a step under names, as a backend records them. */
type Results = NamedTensorMap & {
  readonly cls: Scalar;
  readonly loc: Scalar;
  readonly total: Scalar;
  readonly update: Tensor1D;
};

/** A step that the device knows, and what belongs to it on the host. */
interface Known {
  readonly step: RecordedStep<Results>;
  readonly optimizer: Sgd;
  readonly size: number;
  /** Of the parameters, where norms are taken. */
  readonly names: readonly string[] | undefined;
  /** Counters that a step raises, and by how much. */
  readonly counts: readonly (readonly [counter: Counter, by: number])[];
}

/**
 * Takes training steps on one model. Where the backend can, it records one after a warm-up and replays it
 * from then on, which leaves the host next to nothing to do; elsewhere this is {@linkcode trainStep}.
 */
export class StepRunner implements Disposable {
  readonly #model: SiamBAN;
  readonly #record: boolean;
  #known: Known | undefined;
  #warm = 0;
  #refused: string | undefined;

  /** @param options.record Whether steps are recorded where that can be done. */
  constructor(model: SiamBAN, { record }: { readonly record: boolean }) {
    this.#model = model;
    this.#record = record;
  }

  /** Why steps are not recorded although the backend can; absent while nothing was refused. */
  get refused(): string | undefined {
    return this.#refused;
  }

  /** Whether the backend works on by itself, so that reading at once would have it wait. */
  get queues(): boolean {
    return (tf.backend() as Partial<RecordingBackend>).queues === true;
  }

  /** Whether the last step was a replay. */
  get replays(): boolean {
    return this.#known !== undefined;
  }

  /** Resolves when the arrays of the batch given last are free again. */
  async batchTaken(): Promise<void> {
    await this.#known?.step.inputsTaken();
  }

  /** Takes one step; nothing is read back. The batch's arrays are in use until {@linkcode batchTaken}. */
  take(batch: HostBatch, options: StepOptions): StepTensors {
    const backend = tf.backend() as Partial<RecordingBackend>;
    if (!this.#record || this.#refused !== undefined || !backend.record) {
      return this.#takePlain(batch, options);
    }
    if (this.#known && !fits(this.#known, batch, options)) this.forget();
    if (!this.#known) {
      if (this.#warm++ < WARM_UP_STEPS) return this.#takePlain(batch, options);
      try {
        this.#known = this.#learn(backend as RecordingBackend, batch, options);
      } catch (error) {
        if (!(error instanceof RecordingRefusedError)) throw error;
        this.#refused = error.message;
        return this.#takePlain(batch, options);
      }
    }
    return replay(this.#known, batch, options);
  }

  /** Forgets a recorded step, because what it was recorded with goes. */
  forget(): void {
    this.#known?.step[Symbol.dispose]();
    this.#known = undefined;
    this.#warm = 0;
  }

  #takePlain(batch: HostBatch, options: StepOptions): StepTensors {
    const inputs = toBatchTensors(batch);
    const tensors = trainStep(this.#model, inputs, options);
    tf.dispose(Object.values(inputs));
    return tensors;
  }

  #learn(backend: RecordingBackend, batch: HostBatch, options: StepOptions): Known {
    const counters = Array.from(namedEntries(this.#model), ({ entry }) => entry)
      .filter((entry) => entry instanceof Counter);
    const before = counters.map(({ value }) => value);
    let names: readonly string[] | undefined;
    try {
      const step = backend.record(batchInputs(batch), (inputs): Results => {
        const { norms, ...results } = trainStep(
          this.#model,
          inputs as unknown as BatchTensors,
          options,
        );
        names = norms?.names;
        return norms ? { ...results, norms: norms.values } : results;
      });
      const counts = counters.map((counter, i) => [counter, counter.value - before[i]] as const)
        .filter(([, by]) => by > 0);
      return { step, optimizer: options.optimizer, size: batch.size, names, counts };
    } finally {
      // Recording a step is not taking it.
      counters.forEach((counter, i) => counter.value = before[i]);
    }
  }

  [Symbol.dispose](): void {
    this.forget();
  }
}

function fits(known: Known, batch: HostBatch, { optimizer, norms = false }: StepOptions): boolean {
  return known.step.valid && known.optimizer === optimizer && known.size === batch.size &&
    (known.names !== undefined) === norms;
}

function replay(
  { step, names, counts, optimizer }: Known,
  batch: HostBatch,
  { learningRates }: StepOptions,
): StepTensors {
  optimizer.setLearningRates(learningRates);
  const { cls, loc, total, own, update, norms } = step.replay(batchInputs(batch));
  for (const [counter, by] of counts) counter.value += by;
  return {
    cls,
    loc,
    total,
    ...(own ? { own: own as Scalar } : {}),
    update,
    ...(names ? { norms: { names, values: norms as Tensor1D } } : {}),
  };
}
