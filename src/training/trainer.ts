import { ALONE, type Collective } from "../collective.ts";
import type { ExperimentConfig } from "../config/experiment_config.ts";
import type { Batch } from "../data/batches.ts";
import type { SiamBAN } from "../models/siamban.ts";
import { freezeNorms } from "../nn/batch_norm2d.ts";
import { buildOptimizer, type Sgd, stageIn, type TrainingStage } from "./optimizer.ts";
import type { StepReport } from "./report.ts";
import type { StateDict } from "../weights/host_tensor.ts";
import { exchangeNews, firstComplaint } from "./rank_exchange.ts";
import { lrFactor, lrSpaceOf } from "./learning_rates.ts";
import type { LrSpace } from "./schedule.ts";
import { lossComplaint, skipReason } from "./skip_reason.ts";
import { readStep, type StepTensors } from "./step.ts";
import { StepRunner } from "./step_runner.ts";

/** A place in a training: the next step to take. Both count from 0. */
export interface Position {
  readonly epoch: number;
  readonly step: number;
}

/** What a training tells as it goes. */
export type TrainingEvent =
  /** The trained parameters have changed: at the start and when the backbone joins. */
  | { readonly kind: "stage"; readonly epoch: number; readonly backbone: boolean }
  /** Batch norms keep their running statistics. */
  | { readonly kind: "frozenNorms"; readonly epoch: number }
  | { readonly kind: "step"; readonly report: StepReport }
  /** A good moment to save: every step up to `position` is done and read back. */
  | {
    readonly kind: "pause";
    readonly position: Position;
    readonly epochEnd: boolean;
    /** Whether this is the last event because the training was asked to stop. */
    readonly stopped: boolean;
  };

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
  /** Seconds after which the next step is followed by a pause; 0 for none. */
  readonly pauseAfterSeconds?: number;
  /** Processes that train together; this one alone. */
  readonly collective?: Collective;
  /** Asked after each step: whether to finish, save and leave. */
  readonly shouldStop?: () => boolean;
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
  readonly #steps: StepRunner;
  readonly #collective: Collective;
  readonly #shouldStop: () => boolean;
  /** By which the ranks together change the learning rates of the configuration. */
  readonly #lrFactor: number;
  readonly #pauseAfterSeconds: number;
  #stopping = false;
  #pauseAsked = false;
  #lastPause = performance.now();
  #optimizer: Sgd;
  #position: Position;
  #skippedInRow = 0;

  constructor(model: SiamBAN, options: TrainerOptions) {
    const { training } = options.config;
    this.model = model;
    this.#config = options.config;
    this.#stepsPerEpoch = options.stepsPerEpoch;
    this.#pauseEvery = options.pauseEvery ?? 0;
    this.#pauseAfterSeconds = options.pauseAfterSeconds || Infinity;
    this.#collective = options.collective ?? ALONE;
    this.#shouldStop = options.shouldStop ?? (() => false);
    this.#lrFactor = lrFactor(training, this.#collective.size);
    this.#position = options.resume?.position ?? { epoch: training.startEpoch, step: 0 };
    this.#lrSpace = lrSpaceOf(options.config);
    this.#steps = new StepRunner(model, { record: training.graph });
    this.#optimizer = this.#buildOptimizer();
    // Where the backbone joins, the momentum starts anew, so there is none to take over.
    if (options.resume && !this.#joins()) this.#optimizer.restore(options.resume.velocities);
  }

  /** The next step to take. */
  get position(): Position {
    return this.#position;
  }

  /** Why the device does not record steps; absent while it does, or where none does. */
  get recordingRefused(): string | undefined {
    return this.#steps.refused;
  }

  /** The optimiser of the current stage; another one takes its place when the backbone joins. */
  get optimizer(): Sgd {
    return this.#optimizer;
  }

  /**
   * Trains to the last epoch.
   *
   * On a device that works on by itself each report comes while the next step is already under way, so
   * that it need not wait for the host to read; before a pause all reports are out.
   *
   * @param batches The batches from {@linkcode position} on.
   * @throws {DivergedError} After `training.maxSkippedSteps` skipped steps in a row.
   * @throws {RangeError} If the batches end too early, or are those of other steps.
   */
  async *run(batches: AsyncIterable<Batch>): AsyncGenerator<TrainingEvent> {
    const { epochs } = this.#config.training;
    const source = batches[Symbol.asyncIterator]();
    try {
      for (let first = true; this.#position.epoch < epochs; first = false) {
        const { epoch } = this.#position;
        const { backbone, norms } = this.#stage;
        const joins = this.#joins(), freezes = this.#freezesNorms();
        if (joins && !first) this.#restartOptimizer();
        else if (freezes && !first) this.#freezeNorms();
        if (joins || first) yield { kind: "stage", epoch, backbone };
        if (freezes || first && !norms) yield { kind: "frozenNorms", epoch };
        yield* this.#runEpoch(source);
        const epochEnd = this.#position.step === 0;
        yield { kind: "pause", position: this.#position, epochEnd, stopped: this.#stopping };
        if (this.#stopping) return;
      }
    } finally {
      await source.return?.();
    }
  }

  async *#runEpoch(source: AsyncIterator<Batch>): AsyncGenerator<TrainingEvent> {
    const { epoch } = this.#position;
    let pending: Promise<PendingReport> | undefined;
    while (this.#position.epoch === epoch && !this.#stopping) {
      const clock = performance.now();
      await this.#steps.batchTaken();
      const { value: batch, done } = await source.next();
      if (done) throw new RangeError(`Cannot train: the batches end before ${this.#place()}`);
      const report = this.#takeStep(batch, clock);
      this.#position = this.#next();
      if (pending) yield* this.#tell(pending);
      pending = report;
      // Where nothing is under way there is no reason to be late.
      const pauses = this.#pausesHere();
      if (pauses || !this.#steps.queues) {
        yield* this.#tell(pending);
        pending = undefined;
      }
      if (pauses || this.#pauseAsked) {
        this.#pauseAsked = false;
        this.#lastPause = performance.now();
        yield { kind: "pause", position: this.#position, epochEnd: false, stopped: false };
      }
    }
    if (pending) yield* this.#tell(pending);
  }

  /** Gives a report, and watches for a training that has stopped to learn. */
  async *#tell(pending: Promise<PendingReport>): AsyncGenerator<TrainingEvent> {
    const report = this.#consult(await pending);
    yield { kind: "step", report };
    this.#skippedInRow = report.skipped === undefined ? 0 : this.#skippedInRow + 1;
    const { maxSkippedSteps } = this.#config.training;
    if (this.#skippedInRow < maxSkippedSteps) return;
    throw new DivergedError(
      `Cannot go on: ${maxSkippedSteps} steps in a row were skipped, the last at epoch ` +
        `${report.epoch + 1} step ${report.step + 1} (${report.skipped}); look at the learning ` +
        "rate (training.baseLr), the images of the named pairs and the weights started from",
    );
  }

  /** Makes a report of what all ranks know, and hears whether to stop. */
  #consult({ complaint, ownSeconds, ...report }: PendingReport): StepReport {
    const collective = this.#collective;
    const { seconds, batchTime, dataTime, stop, pause } = exchangeNews(collective, {
      seconds: ownSeconds,
      batchTime: report.batchTime,
      dataTime: report.dataTime,
      stop: this.#shouldStop(),
      pause: performance.now() - this.#lastPause > 1000 * this.#pauseAfterSeconds,
    });
    this.#stopping ||= stop;
    this.#pauseAsked ||= pause;
    if (collective.size === 1) return report;
    const pairsPerSecond = report.pairsPerSecond * report.batchTime / batchTime;
    const told = { ...report, batchTime, dataTime, pairsPerSecond, rankSeconds: seconds };
    if (report.skipped === undefined) return told;
    return { ...told, skipped: firstComplaint(collective, complaint) ?? report.skipped };
  }

  /**
   * Takes a step at once; its figures follow when the device has them.
   *
   * @param clock When the wait for the batch began, in milliseconds.
   */
  #takeStep(batch: Batch, clock: number): Promise<PendingReport> {
    const dataTime = (performance.now() - clock) / 1000;
    const { epoch, step } = this.#position;
    if (batch.epoch !== epoch || batch.step !== step) {
      throw new RangeError(
        `Cannot train: the batch is that of epoch ${batch.epoch + 1} step ${batch.step + 1}, ` +
          `expected that of ${this.#place()}`,
      );
    }
    const groupLrs = this.#groupLrs();
    const { logGrads, microBatch, gradientReduction } = this.#config.training;
    const collective = this.#collective;
    const started = performance.now() / 1000 - collective.seconds;
    const tensors = this.#steps.take(batch, {
      optimizer: this.#optimizer,
      learningRates: groupLrs,
      norms: logGrads,
      microBatch,
      collective,
      reduction: gradientReduction,
    });
    const ownSeconds = performance.now() / 1000 - collective.seconds - started + dataTime;
    const report = this.#readReport(tensors, { batch, clock, dataTime, ownSeconds, groupLrs });
    // A failure is told when it is the report's turn; until then nobody waits for it.
    report.catch(() => {});
    return report;
  }

  async #readReport(
    tensors: StepTensors,
    { batch: { epoch, step, size, provenance }, clock, dataTime, ownSeconds, groupLrs }: {
      readonly batch: Batch;
      readonly clock: number;
      readonly dataTime: number;
      readonly ownSeconds: number;
      readonly groupLrs: readonly number[];
    },
  ): Promise<PendingReport> {
    const { applied, ownLoss, ...figures } = await readStep(tensors);
    const batchTime = (performance.now() - clock) / 1000;
    const judged = { maxLoss: this.#config.training.maxLoss, provenance };
    return {
      epoch,
      step,
      stepsPerEpoch: this.#stepsPerEpoch,
      globalStep: epoch * this.#stepsPerEpoch + step,
      lr: this.#lrSpace.at(epoch) * this.#lrFactor,
      groupLrs,
      batchTime,
      dataTime,
      pairsPerSecond: size * this.#collective.size / batchTime,
      ...figures,
      ...(applied ? {} : { skipped: skipReason(figures, judged) }),
      ownSeconds,
      complaint: lossComplaint(ownLoss, judged),
    };
  }

  #groupLrs(): number[] {
    const { epoch } = this.#position;
    return this.#optimizer.groups.map(({ initialLr }) =>
      this.#lrSpace.groupLr(epoch, initialLr) * this.#lrFactor
    );
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

  /** Whether batch norms keep their running statistics from the next step on. */
  #freezesNorms(): boolean {
    const { epoch, step } = this.#position;
    return epoch === this.#config.training.freezeNormsEpoch && step === 0;
  }

  /** Whether to pause within the epoch, before the next step. */
  #pausesHere(): boolean {
    const { step } = this.#position;
    return step > 0 && this.#pauseEvery > 0 && step % this.#pauseEvery === 0;
  }

  #place(): string {
    const { epoch, step } = this.#position;
    return `epoch ${epoch + 1} step ${step + 1} of ${this.#stepsPerEpoch}`;
  }

  /** Parity: the momentum starts anew when the backbone joins, as tools/train.py builds a new optimiser. */
  #restartOptimizer(): void {
    this.#steps.forget();
    this.#optimizer[Symbol.dispose]();
    this.#optimizer = this.#buildOptimizer();
  }

  #freezeNorms(): void {
    this.#steps.forget();
    freezeNorms(this.model, this.#collective);
  }

  /** What of the model trains in the next step. */
  get #stage(): TrainingStage {
    return stageIn(this.#config, this.#position.epoch);
  }

  #buildOptimizer(): Sgd {
    return buildOptimizer(this.model, this.#config, this.#stage, this.#collective);
  }

  /** Frees the momentum buffers; the model is the caller's. */
  [Symbol.dispose](): void {
    this.#steps[Symbol.dispose]();
    this.#optimizer[Symbol.dispose]();
  }
}

/** A report before the ranks have spoken about it. */
interface PendingReport extends StepReport {
  readonly pairsPerSecond: number;
  /** Seconds of this rank's own work, without the wait for other ranks. */
  readonly ownSeconds: number;
  /** What is wrong with this rank's own loss, if anything. */
  readonly complaint: string | undefined;
}
