import type { Ltwh, Size } from "../geometry/boxes.ts";
import { enclosingBox, type Region } from "./region.ts";

/** A video of a benchmark with its truth. */
export interface Sequence {
  readonly name: string;
  /** Paths of the pictures; empty where only the truth is at hand. */
  readonly frames: readonly string[];
  /**
   * The target frame by frame, in the benchmark's own coordinates (OTB counts pixels from 1); null
   * where it is not there. Only the first frame where the rest is not public.
   */
  readonly truth: readonly (Region | null)[];
  /** What the video is an example of, such as `OCC`. */
  readonly attributes: readonly string[];
  /** Of the pictures; absent where neither annotation nor picture tells. */
  readonly size?: Size;
  /** Marks of single frames by name (VOT): 1 where a tag such as `occlusion` fits. */
  readonly tags?: Readonly<Record<string, readonly number[]>>;
  /** Whether the target can be seen, a frame (LaSOT). */
  readonly visible?: readonly boolean[];
  /** Visible share of the target in eighths, a frame (GOT-10k). */
  readonly cover?: readonly number[];
  /** Whether results may be longer than the truth, which then ends the comparison. */
  readonly mayExceed?: boolean;
  /** Frames that results may leave out at the start, which the comparison then leaves out too. */
  readonly mayOmit?: number;
}

/** A sequence as a result of so many frames saw it. */
export function seenIn(sequence: Sequence, frames: number): Sequence {
  const { truth, mayOmit } = sequence;
  if (!mayOmit || frames !== truth.length - mayOmit) return sequence;
  return { ...sequence, truth: truth.slice(mayOmit), frames: sequence.frames.slice(mayOmit) };
}

/** True boxes a frame, polygons by the upright box around them. */
export function trueBoxes({ truth }: Sequence): (Ltwh | null)[] {
  return truth.map((region) => region && enclosingBox(region));
}

/** Whether a benchmark keeps the truth of a sequence to itself, but for the first frame. */
export function isTruthHidden({ truth, frames }: Sequence): boolean {
  return truth.length <= 1 && frames.length > 1;
}
