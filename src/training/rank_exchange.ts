/** What the ranks of a training tell each other after each step. */
import { broadcastText, type Collective } from "../collective.ts";

/** What one rank tells. */
export interface RankNews {
  /** Seconds of its own work in the last step: without the wait for other ranks. */
  readonly seconds: number;
  /** Seconds of the whole step. */
  readonly batchTime: number;
  /** Seconds of it that it waited for data. */
  readonly dataTime: number;
  /** Whether it has been asked to stop. */
  readonly stop: boolean;
  /** Whether it is time for it to save. */
  readonly pause: boolean;
}

/** What all ranks know then. */
export interface JobNews {
  /** By rank. */
  readonly seconds: readonly number[];
  /** Mean over the ranks, as the published trainer prints it. */
  readonly batchTime: number;
  /** Mean over the ranks. */
  readonly dataTime: number;
  /** Whether any rank has been asked to stop. */
  readonly stop: boolean;
  /** Whether it is time for any rank to save. */
  readonly pause: boolean;
}

/** Tells all ranks what each has to tell. */
export function exchangeNews(collective: Collective, news: RankNews): JobNews {
  const { rank, size } = collective;
  const { batchTime, dataTime, stop, pause } = news;
  const numbers = new Float64Array(size + 4);
  numbers[rank] = news.seconds;
  numbers.set([batchTime / size, dataTime / size, Number(stop), Number(pause)], size);
  collective.sum(numbers);
  const sums = numbers.subarray(size);
  return {
    seconds: [...numbers.subarray(0, size)],
    batchTime: sums[0],
    dataTime: sums[1],
    stop: sums[2] > 0,
    pause: sums[3] > 0,
  };
}

/**
 * Finds the first rank with something to complain about, and gives its words to all.
 *
 * @param complaint This rank's, if it has one.
 * @returns That of the lowest rank that has one, with its name; nothing if none has.
 */
export function firstComplaint(
  collective: Collective,
  complaint: string | undefined,
): string | undefined {
  const { rank, size } = collective;
  if (size === 1) return complaint;
  const flags = new Float64Array(size);
  flags[rank] = complaint === undefined ? 0 : 1;
  collective.sum(flags);
  const first = flags.findIndex((flag) => flag > 0);
  if (first < 0) return undefined;
  return `rank ${first} of ${size}: ${broadcastText(collective, complaint ?? "", first)}`;
}
