import { toFileUrl } from "@std/path";
import { type ProtocolName, ResultError, type TrackerResults } from "../results.ts";
import { type Answer, numbersOf } from "../region.ts";
import { seenIn, type Sequence } from "../sequence.ts";
import type { Trajectory } from "../trajectory.ts";

/** A region as numbers: 4 of a box, more of a polygon; one number is a mark, none is no target. */
export type ReplayFrame = readonly number[];

/** A sequence with the answers of trackers, small enough to travel in a page. */
export interface ReplaySequence {
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Addresses of the pictures; empty where they are not at hand. */
  readonly pictures: readonly string[];
  readonly truth: readonly ReplayFrame[];
  /** First repetition of each tracker that has a result. */
  readonly runs: Readonly<Record<string, readonly ReplayFrame[]>>;
}

/** Gathers what a replay shows; results that cannot be read are left out. */
export function* gatherReplay(
  sequences: readonly Sequence[],
  trackers: readonly TrackerResults[],
  protocol: ProtocolName,
): Generator<ReplaySequence> {
  for (const sequence of sequences) {
    const runs: Record<string, ReplayFrame[]> = {};
    for (const tracker of trackers) {
      const run = readRun(tracker, sequence, protocol);
      if (run) runs[tracker.name] = toFrames(run, sequence);
    }
    const truth = sequence.truth.map(toNumbers);
    const { w, h } = sequence.size ?? extent(truth);
    const pictures = sequence.frames.map((path) => toFileUrl(absolute(path)).href);
    yield { name: sequence.name, width: w, height: h, pictures, truth, runs };
  }
}

/** Frames that a result leaves out at the start have no answer. */
function toFrames(run: Trajectory, sequence: Sequence): ReplayFrame[] {
  const omitted = sequence.truth.length - seenIn(sequence, run.length).truth.length;
  return [...Array(omitted).fill([0]), ...Array.from(run, toNumbers)];
}

function readRun(
  tracker: TrackerResults,
  sequence: Sequence,
  protocol: ProtocolName,
): Trajectory | undefined {
  try {
    return tracker.read(sequence, protocol, { lengths: "any" }).runs[0];
  } catch (error) {
    if (error instanceof ResultError) return undefined;
    throw error;
  }
}

function toNumbers(frame: Answer | null): ReplayFrame {
  if (frame === null) return [];
  if (typeof frame === "number") return [frame];
  // A tenth of a pixel is more than can be seen.
  return numbersOf(frame).map((value) => Math.round(10 * value) / 10);
}

/** Room for all true regions, where the size of the pictures is not known. */
function extent(truth: readonly ReplayFrame[]): { w: number; h: number } {
  let w = 1, h = 1;
  for (const frame of truth) {
    const [x, y, dx, dy] = frame;
    if (frame.length === 4) [w, h] = [Math.max(w, x + dx), Math.max(h, y + dy)];
    else frame.forEach((v, i) => i % 2 === 0 ? w = Math.max(w, v) : h = Math.max(h, v));
  }
  return { w: Math.ceil(w), h: Math.ceil(h) };
}

function absolute(path: string): string {
  return path.startsWith("/") ? path : `${Deno.cwd()}/${path}`;
}

/** Boxes that a page shows without trouble: some 30 MB. */
const MOST_BOXES = 1_500_000;

/**
 * The trackers whose replay a page has room for: the best, at least one.
 *
 * @param ranked The best first.
 */
export function replayable<T>(
  ranked: readonly T[],
  sequences: readonly Sequence[],
  mostBoxes: number = MOST_BOXES,
): readonly T[] {
  const frames = sequences.reduce((sum, { truth }) => sum + truth.length, 0);
  return ranked.slice(0, Math.max(1, Math.floor(mostBoxes / Math.max(1, frames)) - 1));
}
