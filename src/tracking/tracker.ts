import type { Ltwh } from "../geometry/boxes.ts";
import type { Image } from "../image/image.ts";

/** Where a tracker sees its target in one frame. */
export interface Tracked {
  /** In pixels of the frame; x and y of its left upper corner, 0-based. */
  readonly box: Ltwh;
  /** Confidence, 0 to 1. */
  readonly score: number;
}

/** A frame with what a tracker sees in it. */
export interface TrackedFrame extends Tracked {
  readonly frame: Image;
  /** Time of the tracker alone, without reading the frame. */
  readonly elapsedMs: number;
}

/** Follows one target through a sequence of frames. */
export interface Tracker extends Disposable {
  /**
   * Learns the target from a frame; also starts over on a new one.
   *
   * @param frame B, G, R.
   * @param box The target in pixels of the frame.
   */
  init(frame: Image, box: Ltwh): void;

  /**
   * Finds the target in the next frame.
   *
   * @throws {Error} Before {@linkcode init}.
   */
  track(frame: Image): Tracked;
}

/**
 * Follows a target through frames: the first one with its box, then all others.
 *
 * @param frames The frames in order.
 * @param box The target in the first frame.
 * @returns A result a frame; the first is the given box with score 1.
 */
export async function* trackFrames(
  tracker: Tracker,
  frames: AsyncIterable<Image> | Iterable<Image>,
  box: Ltwh,
): AsyncGenerator<TrackedFrame> {
  let started = false;
  for await (const frame of frames) {
    const start = performance.now();
    let tracked: Tracked = { box, score: 1 };
    if (started) tracked = tracker.track(frame);
    else tracker.init(frame, box);
    started = true;
    yield { ...tracked, frame, elapsedMs: performance.now() - start };
  }
}
