import { join } from "@std/path";
import { ALONE, type Collective } from "../collective.ts";
import { formatExperiment } from "../config/dump.ts";
import type { ExperimentConfig } from "../config/experiment_config.ts";
import type { BANDataset } from "../data/ban_dataset.ts";
import { FrameReader } from "../data/frame_reader.ts";
import { loadBatches, stepsPerEpoch } from "../data/loader.ts";
import { buildModel, type SiamBAN } from "../models/siamban.ts";
import { synchronizeNorms } from "../nn/batch_norm2d.ts";
import { describe } from "../nn/describe.ts";
import { Rng } from "../random.ts";
import { makeSnapshotFolder, type ResumePoint } from "../training/checkpoint.ts";
import { LogFile } from "../training/log_file.ts";
import type { StepReport } from "../training/report.ts";
import { type MeteredStep, meterStep } from "../training/meters.ts";
import { stepMessages } from "../training/report_lines.ts";
import { EventFile, scalarsOf } from "../training/tensorboard.ts";
import { Trainer } from "../training/trainer.ts";
import { LoadingWatch } from "./loading.ts";
import { openDataset, prepareMissing, type SetReport } from "./data.ts";
import { type TrackedSequence, trackHeldOut } from "./held_out.ts";
import { drawTrackedSequence } from "./picture.ts";
import { findDrift, formatJob, meet, shareStart } from "./job.ts";
import { saveIncident } from "./incident.ts";
import { findResumePoint } from "./resume.ts";
import { Saver } from "./saver.ts";
import { SlowRanks } from "./slow_ranks.ts";
import { RunFigures, type Summary } from "./summary.ts";
import { loadPretrained } from "./weights.ts";

/** What an experiment tells as it runs; the task prints it. */
export type RunEvent =
  | ({ readonly kind: "prepare" } & SetReport)
  /** Text for terminal and log. */
  | { readonly kind: "message"; readonly text: string }
  | { readonly kind: "step"; readonly step: MeteredStep }
  | { readonly kind: "checkpoint"; readonly path: string }
  | { readonly kind: "heldOut"; readonly when: "before" | "after"; readonly ao: number }
  | { readonly kind: "done"; readonly summary: Summary };

/** How an experiment is run. */
export interface RunOptions {
  /**
   * Processes that train together; this one alone. Every rank gives all events; rank 0 alone writes
   * files and tracks.
   */
  readonly collective?: Collective;
  /** Asked after each step: whether to save and leave. */
  readonly shouldStop?: () => boolean;
}

/**
 * Runs an experiment from configuration to tracked sequences, on the current backend: prepares what
 * is missing, builds model, data and trainer, trains, saves, logs.
 *
 * @throws {Error} If something cannot be read or written; the message says what to do.
 */
export async function* runExperiment(
  config: ExperimentConfig,
  options: RunOptions = {},
): AsyncGenerator<RunEvent> {
  const { collective = ALONE } = options;
  const started = performance.now();
  if (collective.localRank === 0) {
    for await (const report of prepareMissing(config)) yield { kind: "prepare", ...report };
  }
  meet(collective);
  const dataset = openDataset(config);
  using model = buildModel(config, new Rng(config.training.seed));
  if (config.training.syncBatchNorm && collective.size > 1) synchronizeNorms(model, collective);
  const run = new Run(config, { dataset, model, ...options, collective });
  yield* run.train();
  yield { kind: "done", summary: run.summary((performance.now() - started) / 1000) };
}

/** Skipped steps that are kept on disk; the first ones tell the most. */
const MOST_INCIDENTS = 20;

class Run {
  readonly #config: ExperimentConfig;
  readonly #dataset: BANDataset;
  readonly #model: SiamBAN;
  readonly #stepsPerEpoch: number;
  readonly #loading = new LoadingWatch();
  readonly #collective: Collective;
  readonly #shouldStop?: () => boolean;
  readonly #figures: RunFigures;
  #incidents = 0;

  constructor(
    config: ExperimentConfig,
    { dataset, model, collective, shouldStop }: RunOptions & {
      readonly dataset: BANDataset;
      readonly model: SiamBAN;
      readonly collective: Collective;
    },
  ) {
    this.#config = config;
    this.#collective = collective;
    this.#shouldStop = shouldStop;
    this.#dataset = dataset;
    this.#model = model;
    this.#figures = new RunFigures(config, { ranks: collective.size });
    this.#stepsPerEpoch = config.training.stepsPerEpoch ?? stepsPerEpoch(dataset, {
      batchSize: config.training.batchSize,
      worldSize: collective.size,
    });
  }

  /** @param seconds Time of the whole run. */
  summary(seconds: number): Summary {
    return this.#figures.summary({ seconds, loading: this.#loading.profile });
  }

  /** Whether this rank writes files and tracks. */
  get #leads(): boolean {
    return this.#collective.rank === 0;
  }

  async *train(): AsyncGenerator<RunEvent> {
    const { tensorboard, printFreq: printEvery } = this.#config.training;
    const logDir = this.#leads && this.#config.training.logDir;
    using log = logDir ? new LogFile(logDir) : undefined;
    using events = logDir && tensorboard ? new EventFile(logDir) : undefined;
    this.#figures.log = log?.path;
    try {
      for await (const event of this.#stages()) {
        if (event.kind === "message") log?.write(event.text);
        if (event.kind === "step") {
          for (const text of stepMessages(event.step, { printEvery })) log?.write(text);
          events?.write(scalarsOf(event.step.report));
        }
        yield event;
      }
    } catch (error) {
      log?.write(`stopped: ${error instanceof Error ? error.message : error}`);
      throw error;
    }
  }

  /** Everything in order: weights in, a look before, the steps, a look after. */
  async *#stages(): AsyncGenerator<RunEvent> {
    yield message(`config \n${formatExperiment(this.#config)}`);
    const resume = yield* this.#start();
    if (this.#collective.size > 1) yield message(formatJob(this.#config, this.#collective));
    yield* this.#heldOut("before");
    yield* this.#steps(resume);
    if (!this.#figures.stopped) yield* this.#heldOut("after");
  }

  /** Rank 0 finds the weights to start from, and all ranks take them over. */
  async *#start(): AsyncGenerator<RunEvent, ResumePoint | undefined> {
    let point: ResumePoint | undefined;
    if (this.#leads) {
      point = yield* this.#resume();
      if (!point) yield* this.#pretrained();
    }
    return shareStart(this.#model, { point, collective: this.#collective });
  }

  async *#resume(): AsyncGenerator<RunEvent, ResumePoint | undefined> {
    const { messages, point } = await findResumePoint(this.#model, {
      config: this.#config,
      stepsPerEpoch: this.#stepsPerEpoch,
      ranks: this.#collective.size,
    });
    for (const text of messages) yield message(text);
    return point;
  }

  async *#pretrained(): AsyncGenerator<RunEvent> {
    for await (const text of loadPretrained(this.#model, this.#config)) yield message(text);
  }

  async *#steps(resume: ResumePoint | undefined): AsyncGenerator<RunEvent> {
    const { training } = this.#config;
    if (this.#leads) await makeSnapshotFolder(training.snapshotDir);
    using trainer = new Trainer(this.#model, {
      config: this.#config,
      stepsPerEpoch: this.#stepsPerEpoch,
      pauseEvery: training.checkpointEvery,
      pauseAfterSeconds: 60 * training.checkpointMinutes,
      resume,
      collective: this.#collective,
      shouldStop: this.#shouldStop,
    });
    if (trainer.position.epoch >= training.epochs) {
      yield message(`nothing is left to train: all ${training.epochs} epochs are done`);
      return;
    }
    const batches = loadBatches(this.#dataset, {
      seed: training.seed,
      batchSize: training.batchSize,
      epochs: training.epochs,
      start: trainer.position,
      stepsPerEpoch: this.#stepsPerEpoch,
      workers: training.numWorkers,
      rank: this.#collective.rank,
      worldSize: this.#collective.size,
    });
    let previous: Pick<MeteredStep, "averages"> | undefined = resume?.averages
      ? { averages: resume.averages }
      : undefined;
    let toldRefusal = false;
    const slowRanks = new SlowRanks();
    const saver = new Saver({ keep: training.keepCheckpoints });
    // Who leaves early, for whatever reason, leaves whole checkpoints behind.
    await using _ = saver;
    for await (const event of trainer.run(this.#loading.watch(batches))) {
      for (const text of this.#loading.takeNotices()) yield message(`data: ${text}`);
      yield* this.#saved(saver);
      const refused = trainer.recordingRefused;
      if (refused !== undefined && !toldRefusal) {
        toldRefusal = true;
        yield message(`${refused}; steps go on launch by launch`);
      }
      if (event.kind === "step") {
        const step = meterStep(event.report, { previous, epochs: training.epochs });
        previous = step;
        this.#figures.count(step);
        yield { kind: "step", step };
        const slow = slowRanks.look(event.report.rankSeconds);
        if (slow) yield message(slow);
        if (event.report.skipped !== undefined) yield* this.#incident(event.report);
      } else if (event.kind === "frozenNorms") {
        yield message("batch norms keep their running statistics from here on");
      } else if (event.kind === "stage") {
        if (event.backbone) yield message("start training backbone.");
        yield message(`model\n${describe(this.#model)}`);
      } else {
        this.#figures.stopped ||= event.stopped;
        const drift = findDrift(this.#model, this.#collective);
        if (drift) throw new Error(drift);
        if (!this.#leads) continue;
        await saver.save(trainer, {
          folder: training.snapshotDir,
          config: this.#config,
          stepsPerEpoch: this.#stepsPerEpoch,
          ranks: this.#collective.size,
          averages: previous?.averages,
        });
      }
    }
    await saver.settle();
    yield* this.#saved(saver);
  }

  /** Tells of a checkpoint once it is whole. */
  *#saved(saver: Saver): Generator<RunEvent> {
    for (const path of saver.takeFinished()) {
      this.#figures.checkpoint = path;
      yield { kind: "checkpoint", path };
    }
  }

  /** Keeps a step that was skipped, so that a person can look at it and take it again. */
  async *#incident({ epoch, step, losses, skipped }: StepReport): AsyncGenerator<RunEvent> {
    const { logDir } = this.#config.training;
    if (!logDir || this.#incidents++ >= MOST_INCIDENTS) return;
    const { rank, size } = this.#collective;
    const saved = await saveIncident(this.#model, {
      folder: join(logDir, "incidents"),
      config: this.#config,
      dataset: this.#dataset,
      place: { epoch, step, rank, ranks: size, stepsPerEpoch: this.#stepsPerEpoch },
      losses,
      reason: skipped!,
    });
    yield message(
      `skipped epoch ${epoch + 1} step ${
        step + 1
      }: ${skipped}; its pictures are in ${saved.picture}, ` +
        `deno task train replay ${saved.path} takes it again`,
    );
  }

  async *#heldOut(when: "before" | "after"): AsyncGenerator<RunEvent> {
    const { validation, training } = this.#config;
    if (!validation || !this.#leads) return;
    yield message(`tracking ${validation.sequences} held-out sequences ${when} training`);
    const tracked: TrackedSequence[] = [];
    for await (const sequence of trackHeldOut(this.#model, { ...this.#config, validation })) {
      tracked.push(sequence);
    }
    const ao = tracked.reduce((sum, sequence) => sum + sequence.ao, 0) / tracked.length;
    this.#figures.ao[when] = ao;
    if (when === "after" && training.logDir) {
      await using reader = new FrameReader();
      this.#figures.pictures = await drawTrackedSequence(middle(tracked), {
        folder: training.logDir,
        reader,
      });
    }
    yield message(
      `average overlap on ${tracked.length} held-out sequences ${when} training: ${ao.toFixed(3)}`,
    );
    yield { kind: "heldOut", when, ao };
  }
}

function message(text: string): RunEvent {
  return { kind: "message", text };
}

/** The sequence with the middle overlap: neither the best nor the worst stands for all. */
function middle(tracked: readonly TrackedSequence[]): TrackedSequence {
  return tracked.toSorted((a, b) => a.ao - b.ao)[Math.floor(tracked.length / 2)];
}
