/** How a tracker is run on a sequence: in one pass, or with a new start after each failure. */
import type { Image } from "../../image/image.ts";
import type { Ltwh } from "../../geometry/boxes.ts";
import type { GroupedTracker } from "../../tracking/group.ts";
import type { Tracked, Tracker } from "../../tracking/tracker.ts";
import { SKIPPED_AFTER_FAILURE } from "../eao.ts";
import { type Answer, isPolygon, pictureBounds, type Region } from "../region.ts";
import type { ProtocolName } from "../results.ts";
import type { Sequence } from "../sequence.ts";
import { startBox } from "../start_box.ts";
import { votOverlap } from "../vot_overlap.ts";

/** A tracker's answers on a sequence. */
export interface Followed {
  /** One a frame. */
  readonly trajectory: readonly Answer[];
  /** How sure the tracker was, a frame; NaN where it was not asked. */
  readonly confidences: readonly number[];
  /** Seconds that each frame took, without reading it. */
  readonly seconds: readonly number[];
}

type AnyTracker = Tracker | GroupedTracker;

/**
 * Follows the target of a sequence by a benchmark's protocol (siamban/tools/test.py).
 *
 * @param frames One picture for each frame of the sequence.
 * @throws {RangeError} If the first frame has no truth, or there are fewer pictures than frames.
 */
export async function followSequence(
  tracker: AnyTracker,
  sequence: Sequence,
  { protocol, frames }: {
    readonly protocol: ProtocolName;
    readonly frames: AsyncIterable<Image> | Iterable<Image>;
  },
): Promise<Followed> {
  const course = protocol === "restart"
    ? new RestartCourse(sequence)
    : new Course(sequence, protocol);
  const seconds: number[] = [];
  let count = 0;
  for await (const frame of frames) {
    const start = performance.now();
    await course.take(tracker, frame, count++);
    seconds.push((performance.now() - start) / 1000);
  }
  const expected = Math.max(sequence.frames.length, 1);
  if (count < expected) {
    throw new RangeError(
      `Cannot follow "${sequence.name}": it has ${count} pictures, expected ${expected}`,
    );
  }
  return { ...course, seconds };
}

/** One pass: the tracker starts on the first frame and goes on to the last. */
class Course {
  readonly trajectory: Answer[] = [];
  readonly confidences: number[] = [];
  readonly #start: Ltwh;
  readonly #protocol: ProtocolName;

  constructor({ name, truth: [first] }: Sequence, protocol: ProtocolName) {
    if (!first) {
      throw new RangeError(`Cannot follow "${name}": its first frame has no box to start from`);
    }
    this.#protocol = protocol;
    this.#start = startBox(first, protocol);
  }

  async take(tracker: AnyTracker, frame: Image, index: number): Promise<void> {
    if (index === 0) {
      tracker.init(frame, this.#start);
      // In the long-term protocol the first line only says that the tracker was started.
      this.trajectory.push(this.#protocol === "longTerm" ? 1 : this.#start);
      this.confidences.push(NaN);
    } else {
      const { box, score } = await tracker.track(frame);
      this.trajectory.push(box);
      this.confidences.push(score);
    }
  }
}

/** A tracker whose box no longer touches the target is started again five frames later (VOT). */
class RestartCourse {
  readonly trajectory: Answer[] = [];
  readonly confidences: number[] = [];
  readonly #truth: readonly (Region | null)[];
  #nextStart = 0;

  constructor({ truth }: Sequence) {
    this.#truth = truth;
  }

  async take(tracker: AnyTracker, frame: Image, index: number): Promise<void> {
    const truth = this.#truth[index] ?? null;
    const [answer, confidence] = await this.#answer(tracker, frame, { index, truth });
    this.trajectory.push(answer);
    this.confidences.push(confidence);
  }

  async #answer(
    tracker: AnyTracker,
    frame: Image,
    { index, truth }: { readonly index: number; readonly truth: Region | null },
  ): Promise<[Answer, number]> {
    if (index < this.#nextStart) return [0, NaN];
    if (index === this.#nextStart) {
      if (!truth) {
        this.#nextStart++; // There is nothing to start from yet.
        return [0, NaN];
      }
      tracker.init(frame, startBox(truth, "restart"));
      return [1, NaN];
    }
    const { box, score }: Tracked = await tracker.track(frame);
    if (isOnTarget(box, truth, frame)) return [box, score];
    this.#nextStart = index + SKIPPED_AFTER_FAILURE;
    return [2, score];
  }
}

/**
 * Whether a box still touches the target in a picture; if not, VOT starts the tracker again.
 *
 * @param truth Null, which no box touches, where the target is not there.
 */
export function isOnTarget(
  box: Ltwh,
  truth: Region | null,
  { width: w, height: h }: Pick<Image, "width" | "height">,
): boolean {
  return truth !== null && votOverlap(box, outlineOf(truth), pictureBounds({ w, h })) > 0;
}

// Parity: a box as truth becomes a polygon whose far corners are its last pixels (tools/test.py).
function outlineOf(truth: Region): Region {
  if (isPolygon(truth)) return truth;
  const { x, y, w, h } = truth, right = x + w - 1, bottom = y + h - 1;
  return { points: [x, y, x, bottom, right, bottom, right, y] };
}
