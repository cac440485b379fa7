import * as tf from "@tensorflow/tfjs";
import type { ExperimentConfig } from "../config/schema.ts";
import type { Batch } from "../data/batches.ts";
import { freezeBackbone, parameterGroups } from "../models/freeze.ts";
import type { SiamBAN } from "../models/siamban.ts";
import { Sgd } from "./optimizer.ts";
import type { StepReport } from "./report.ts";
import type { StateDict } from "../weights/host_tensor.ts";
import { buildLrSpace, type LrSpace } from "./schedule.ts";
import { readStep, type StepFigures, toBatchTensors, trainStep } from "./step.ts";

/** A place in a training: the next step to take. Both count from 0. */
export interface Position {
  readonly epoch: number;
  readonly step: number;
}

/** What a training tells as it goes. */
export type TrainingEvent =
  /** The trained parameters have changed: at the start and when the backbone joins. */
  | { readonly kind: "stage"; readonly epoch: number; readonly backbone: boolean }
  | { readonly kind: "step"; readonly report: StepReport }
  /** A good moment to save: every step up to `position` is done and read back. */
  | { readonly kind: "pause"; readonly position: Position; readonly epochEnd: boolean };

/** What a {@linkcode Trainer} is built from. */
export interface TrainerOptions {
  readonly config: ExperimentConfig;
  readonly stepsPerEpoch: number;
  /** Where to go on; without it the training starts at `training.startEpoch`. */
  readonly resume?: {
    readonly position: Position;
    /** Momentum by parameter name, in PyTorch's layout. */
    readonly velocities: StateDict;
  };
  /** Steps between two pauses within an epoch; 0 pauses at the end of an epoch only. */
  readonly pauseEvery?: number;
}

/** Too many steps in a row had a loss or a gradient that is no number. */
export class DivergedError extends Error {
  override readonly name = "DivergedError";
}

/**
 * Trains a model on a stream of batches (tools/train.py `train`). The stream of events that it gives is the
 * only way out: it neither prints nor writes.
 */
export class Trainer implements Disposable {
  readonly model: SiamBAN;
  readonly #config: ExperimentConfig;
  readonly #lrSpace: LrSpace;
  readonly #stepsPerEpoch: number;
  readonly #pauseEvery: number;
  #optimizer: Sgd;
  #position: Position;
  #skippedInRow = 0;

  constructor(model: SiamBAN, options: TrainerOptions) {
    const { training } = options.config;
    this.model = model;
    this.#config = options.config;
    this.#stepsPerEpoch = options.stepsPerEpoch;
    this.#pauseEvery = options.pauseEvery ?? 0;
    this.#position = options.resume?.position ?? { epoch: training.startEpoch, step: 0 };
    this.#lrSpace = lrSpaceOf(options.config);
    this.#optimizer = this.#buildOptimizer();
    // Where the backbone joins, the momentum starts anew, so there is none to take over.
    if (options.resume && !this.#joins()) this.#optimizer.restore(options.resume.velocities);
  }

  /** The next step to take. */
  get position(): Position {
    return this.#position;
  }

  /** The optimiser of the current stage; another one takes its place when the backbone joins. */
  get optimizer(): Sgd {
    return this.#optimizer;
  }

  /**
   * Trains to the last epoch.
   *
   * Each report comes while the next step is already under way, so that a device need not wait for
   * the host to read; before a pause all reports are out.
   *
   * @param batches The batches from {@linkcode position} on.
   * @throws {DivergedError} After `training.maxSkippedSteps` skipped steps in a row.
   * @throws {RangeError} If the batches end too early.
   */
  async *run(batches: AsyncIterable<Batch>): AsyncGenerator<TrainingEvent> {
    const { epochs } = this.#config.training;
    const { trainEpoch } = this.#config.backbone;
    const source = batches[Symbol.asyncIterator]();
    try {
      for (let first = true; this.#position.epoch < epochs; first = false) {
        const { epoch } = this.#position;
        const joins = this.#joins();
        if (joins && !first) this.#restartOptimizer();
        if (joins || first) yield { kind: "stage", epoch, backbone: epoch >= trainEpoch };
        yield* this.#runEpoch(source);
        yield { kind: "pause", position: this.#position, epochEnd: true };
      }
    } finally {
      await source.return?.();
    }
  }

  async *#runEpoch(source: AsyncIterator<Batch>): AsyncGenerator<TrainingEvent> {
    const { epoch } = this.#position;
    let pending: Promise<StepReport> | undefined;
    for (let clock = performance.now(); this.#position.epoch === epoch; clock = performance.now()) {
      const { value: batch, done } = await source.next();
      if (done) throw new RangeError(`Cannot train: the batches end at ${this.#place()}`);
      const report = this.#report(batch, clock);
      this.#position = this.#next();
      if (pending) yield this.#counted(await pending);
      pending = report;
      if (this.#position.step > 0 && this.#position.step % this.#pauseEvery === 0) {
        yield this.#counted(await pending);
        pending = undefined;
        yield { kind: "pause", position: this.#position, epochEnd: false };
      }
    }
    if (pending) yield this.#counted(await pending);
  }

  /** Takes a step at once; its figures follow when the device has them. */
  async #report(batch: Batch, clock: number): Promise<StepReport> {
    const dataTime = (performance.now() - clock) / 1000;
    const { epoch, step } = this.#position;
    const groupLrs = this.#groupLrs();
    const inputs = toBatchTensors(batch);
    const tensors = trainStep(this.model, inputs, {
      optimizer: this.#optimizer,
      learningRates: groupLrs,
      norms: this.#config.training.logGrads,
    });
    tf.dispose(Object.values(inputs));
    const { size, provenance } = batch;
    const { applied, ...figures } = await readStep(tensors);
    const batchTime = (performance.now() - clock) / 1000;
    return {
      epoch,
      step,
      stepsPerEpoch: this.#stepsPerEpoch,
      globalStep: epoch * this.#stepsPerEpoch + step,
      lr: this.#lrSpace.at(epoch),
      groupLrs,
      batchTime,
      dataTime,
      pairsPerSecond: size / batchTime,
      ...figures,
      ...(applied ? {} : { skipped: this.#reason(figures, provenance) }),
    };
  }

  /** Watches for a training that has stopped to learn. */
  #counted(report: StepReport): TrainingEvent {
    this.#skippedInRow = report.skipped === undefined ? 0 : this.#skippedInRow + 1;
    const { maxSkippedSteps } = this.#config.training;
    if (this.#skippedInRow >= maxSkippedSteps) {
      throw new DivergedError(
        `Cannot go on: ${maxSkippedSteps} steps in a row were skipped, the last at epoch ` +
          `${report.epoch + 1} step ${report.step + 1} (${report.skipped}); look at the learning ` +
          "rate (training.baseLr), the images of the named pairs and the weights started from",
      );
    }
    return { kind: "step", report };
  }

  #reason(
    { losses, gradNorm }: Pick<StepFigures, "losses" | "gradNorm">,
    provenance: Batch["provenance"],
  ): string {
    const { maxLoss } = this.#config.training;
    const cause = !Number.isFinite(losses.total)
      ? `the loss is ${losses.total}`
      : losses.total > maxLoss
      ? `the loss ${losses.total} is above training.maxLoss ${maxLoss}`
      : `the gradient norm is ${gradNorm}`;
    const pairs = provenance.map(({ template, search }) => `${template.path} + ${search.path}`);
    return `${cause}; the batch holds ${pairs.join(", ")}`;
  }

  #groupLrs(): number[] {
    const { epoch } = this.#position;
    return this.#optimizer.groups.map(({ initialLr }) => this.#lrSpace.groupLr(epoch, initialLr));
  }

  #next(): Position {
    const { epoch, step } = this.#position;
    return step + 1 < this.#stepsPerEpoch
      ? { epoch, step: step + 1 }
      : { epoch: epoch + 1, step: 0 };
  }

  /** Whether the backbone joins the training with the next step. */
  #joins(): boolean {
    const { epoch, step } = this.#position;
    return epoch === this.#config.backbone.trainEpoch && step === 0;
  }

  #place(): string {
    const { epoch, step } = this.#position;
    return `epoch ${epoch + 1} step ${step + 1} of ${this.#stepsPerEpoch}`;
  }

  /** Parity: the momentum starts anew when the backbone joins, as tools/train.py builds a new optimiser. */
  #restartOptimizer(): void {
    this.#optimizer[Symbol.dispose]();
    this.#optimizer = this.#buildOptimizer();
  }

  /** Sets what is trained in the current epoch (tools/train.py `build_opt_lr`). */
  #buildOptimizer(): Sgd {
    const { training, backbone } = this.#config;
    const joined = this.#position.epoch >= backbone.trainEpoch;
    freezeBackbone(this.model, joined ? backbone.trainLayers : []);
    const groups = parameterGroups(this.model).map(({ name, parameters }) => ({
      name,
      parameters,
      initialLr: training.baseLr * (name === "backbone" ? backbone.layersLr : 1),
    }));
    return new Sgd(groups, {
      momentum: training.momentum,
      weightDecay: training.weightDecay,
      clipNorm: training.gradClip,
      maxLoss: training.maxLoss,
    });
  }

  /** Frees the momentum buffers; the model is the caller's. */
  [Symbol.dispose](): void {
    this.#optimizer[Symbol.dispose]();
  }
}

/** The learning rates that an experiment asks for. */
export function lrSpaceOf({ training }: ExperimentConfig): LrSpace {
  const { lr, lrWarmup, epochs } = training;
  return buildLrSpace({
    epochs,
    lr: { type: lr.type, ...lr.kwargs },
    ...(lrWarmup.warmup
      ? { warmup: { type: lrWarmup.type, epoch: lrWarmup.epoch, ...lrWarmup.kwargs } }
      : {}),
  });
}
