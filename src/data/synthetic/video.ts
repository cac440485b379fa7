/**
 * Videos that are drawn: a patterned, coloured target wanders over a dull, drifting background,
 * among distractors of other colours and shapes. They need no download, look different for each
 * seed, and can be followed only by what the target looks like.
 *
 * @module
 */
import { centerToCorner, type Corner, iou } from "../../geometry/boxes.ts";
import { createImage, type Image } from "../../image/image.ts";
import { Rng } from "../../random.ts";
import { drawSprite, makeSprite, type Sprite } from "./sprite.ts";
import { makeBackground } from "./background.ts";
import { makeWalk, type WalkStep } from "./walk.ts";

/** A video is a function of these. */
export interface SyntheticVideoOptions {
  readonly seed: number;
  /** 60. */
  readonly frames?: number;
  /** In pixels; 320. */
  readonly width?: number;
  /** In pixels; 240. */
  readonly height?: number;
  /** Objects that look different from the target; 3. */
  readonly distractors?: number;
}

/** A first box that stays where it is has less than this mean overlap with the target. */
export const STILL_OVERLAP_LIMIT = 0.2;

/** How far the background may drift, in pixels to each side. */
const MARGIN = 48;
const MOST_WALKS = 64;

interface Actor {
  readonly sprite: Sprite;
  readonly walk: readonly WalkStep[];
}

/**
 * A drawn video; any frame can be asked for at any time.
 *
 * @example
 * ```ts
 * import { SyntheticVideo } from "siamban";
 * import { assertEquals } from "@std/assert";
 *
 * const video = new SyntheticVideo({ seed: 7, frames: 30 });
 * assertEquals([video.frame(0).width, video.frames], [320, 30]);
 * ```
 */
export class SyntheticVideo {
  readonly frames: number;
  readonly width: number;
  readonly height: number;
  readonly #tone: number;
  readonly #rng: Rng;
  #background?: Image;
  readonly #drift: readonly WalkStep[];
  readonly #target: Actor;
  readonly #distractors: readonly Actor[];

  /** @throws {RangeError} If the video has fewer than two frames. */
  constructor(options: SyntheticVideoOptions) {
    const { seed, frames = 60, width = 320, height = 240, distractors = 3 } = options;
    if (frames < 2) {
      throw new RangeError(`Cannot draw a video of ${frames} frames, expected 2 or more`);
    }
    this.frames = frames;
    this.width = width;
    this.height = height;
    const rng = this.#rng = new Rng(seed);
    this.#tone = rng.uniform();
    this.#drift = makeWalk(
      { frames, width: MARGIN * 2, height: MARGIN * 2, speed: 1 },
      rng.fork(1),
    );
    const hue = rng.uniform();
    const kind = rng.integer(1024);
    this.#target = {
      sprite: makeSprite({ hue, kind }, rng.fork(2)),
      walk: this.#walkAway(rng.fork(3)),
    };
    this.#distractors = Array.from({ length: distractors }, (_, i) => {
      // Hues keep a distance of at least a sixth of the circle from the target's.
      const other = hue + 1 / 6 + (2 / 3) * ((i + rng.uniform()) / distractors);
      const look = makeSprite({ hue: other, kind: kind + 1 + i }, rng.fork(4, i));
      return { sprite: look, walk: makeWalk({ ...this.#stage(), speed: 4 }, rng.fork(5, i)) };
    });
  }

  /** The target's box, in pixels. */
  box(index: number): Corner {
    return boxOf(this.#target.walk[index]);
  }

  /** Draws a frame. */
  frame(index: number): Image {
    const image = createImage(this.width, this.height);
    this.#copyBackground(image, this.#drift[index]);
    for (const { sprite, walk } of this.#distractors) {
      drawSprite(image, sprite, boxOf(walk[index]));
    }
    // Last, so that it is never hidden.
    drawSprite(image, this.#target.sprite, this.box(index));
    return image;
  }

  #stage() {
    return { frames: this.frames, width: this.width, height: this.height };
  }

  /** The first walk drawn on which standing still does not score. */
  #walkAway(rng: Rng): readonly WalkStep[] {
    for (let attempt = 0;; attempt++) {
      const walk = makeWalk({ ...this.#stage(), speed: 6 }, rng.fork(attempt));
      if (attempt === MOST_WALKS || stillOverlap(walk) < STILL_OVERLAP_LIMIT) return walk;
    }
  }

  #copyBackground({ data, width, height }: Image, { cx, cy }: WalkStep): void {
    const background = this.#background ??= makeBackground(
      { width: width + 2 * MARGIN, height: height + 2 * MARGIN, tone: this.#tone },
      this.#rng.fork(0),
    );
    const left = Math.round(cx), top = Math.round(cy);
    for (let y = 0; y < height; y++) {
      const from = ((y + top) * background.width + left) * 3;
      data.set(background.data.subarray(from, from + width * 3), y * width * 3);
    }
  }
}

function boxOf({ cx, cy, w, h }: WalkStep): Corner {
  return centerToCorner({ cx, cy, w, h });
}

function stillOverlap(walk: readonly WalkStep[]): number {
  const first = boxOf(walk[0]);
  return walk.reduce((sum, step) => sum + iou(first, boxOf(step)), 0) / walk.length;
}
