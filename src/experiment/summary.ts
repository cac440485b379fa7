import type { ExperimentConfig } from "../config/experiment_config.ts";
import type { Averages } from "../training/checkpoint.ts";
import type { MeteredStep } from "../training/meters.ts";
import type { LoadingProfile } from "./loading.ts";
import type { TrackPictures } from "./picture.ts";

/** The figures of a finished run. */
export interface Summary {
  readonly experiment: string;
  readonly steps: number;
  /** Means over the last steps, at most 100. */
  readonly losses: { readonly cls: number; readonly loc: number; readonly total: number };
  /** Total loss of the first step of this run. */
  readonly firstLoss: number;
  /** Training pairs a second, over the last steps, the wait for data included. */
  readonly pairsPerSecond: number;
  /** Share of the time spent waiting for data. */
  readonly dataWaitShare: number;
  /** Where the time of loading went; absent if nothing was loaded. */
  readonly loading?: LoadingProfile;
  readonly seconds: number;
  /** Mean average overlap on the held-out sequences. */
  readonly ao?: { readonly before: number; readonly after: number };
  readonly checkpoint?: string;
  /** Whether the training was asked to stop before its end. */
  readonly stopped?: true;
  readonly log?: string;
  readonly pictures?: TrackPictures;
}

/** Gathers the figures of a run as it goes. */
export class RunFigures {
  readonly #config: ExperimentConfig;
  readonly #ranks: number;
  #first?: MeteredStep;
  #last?: MeteredStep;
  /** Mean average overlap on the held-out sequences, as far as they were tracked. */
  readonly ao: { before?: number; after?: number } = {};
  /** Whether the training was asked to stop before its end. */
  stopped = false;
  /** The last one that is whole. */
  checkpoint?: string;
  log?: string;
  pictures?: TrackPictures;

  /** @param options.ranks Processes that train together. */
  constructor(config: ExperimentConfig, { ranks }: { readonly ranks: number }) {
    this.#config = config;
    this.#ranks = ranks;
  }

  /** Counts a step that was taken. */
  count(step: MeteredStep): void {
    this.#first ??= step;
    this.#last = step;
  }

  /** @param options.seconds Time of the whole run. */
  summary({ seconds, loading }: { seconds: number; loading?: LoadingProfile }): Summary {
    const first = this.#first, last = this.#last, { before, after } = this.ao;
    const average = (name: keyof Averages) => last?.averages[name].mean ?? NaN;
    const pairs = this.#config.training.batchSize * this.#ranks;
    return {
      experiment: this.#config.name,
      steps: last && first ? last.report.globalStep - first.report.globalStep + 1 : 0,
      losses: {
        cls: average("cls_loss"),
        loc: average("loc_loss"),
        total: average("total_loss"),
      },
      firstLoss: first?.report.losses.total ?? NaN,
      pairsPerSecond: pairs / average("batch_time"),
      dataWaitShare: average("data_time") / average("batch_time"),
      seconds,
      ...(loading ? { loading } : {}),
      ...(before !== undefined && after !== undefined ? { ao: { before, after } } : {}),
      ...(this.stopped ? { stopped: true } : {}),
      ...(this.checkpoint ? { checkpoint: this.checkpoint } : {}),
      ...(this.log ? { log: this.log } : {}),
      ...(this.pictures ? { pictures: this.pictures } : {}),
    };
  }
}
