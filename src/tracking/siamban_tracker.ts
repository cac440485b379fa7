import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { type Center, centerToLtwh, type Ltwh } from "../geometry/boxes.ts";
import { clipToImage, trackerSearch, trackerTemplateSide } from "../geometry/context.ts";
import { type PointGrid, pointGrid } from "../geometry/points.ts";
import { type Color, type Image, meanColor } from "../image/image.ts";
import { getSubwindow } from "../image/subwindow.ts";
import type { Features } from "../models/backbone/mod.ts";
import type { SiamBAN } from "../models/siamban.ts";
import { cosineWindow, type Response, selectBox, type SelectOptions } from "./select.ts";
import type { Tracked, Tracker } from "./tracker.ts";

/** Settings of a {@linkcode SiamBANTracker}; sizes in pixels. */
export interface SiamBANTrackerOptions extends SelectOptions {
  /** How fast the size follows the prediction, 0 to 1 (TRACK.LR). */
  readonly scaleLr: number;
  readonly exemplarSize: number;
  readonly searchSize: number;
  readonly contextAmount: number;
  /** Points a side of the response. */
  readonly scoreSize: number;
  /** Search pixels between two points. */
  readonly stride: number;
}

/** What is known of the target between two frames. */
interface Target {
  readonly features: Features;
  /** Mean of the first frame by channel, which fills what lies outside of a frame. */
  readonly border: Color;
  readonly box: Center;
}

/**
 * Tracks with a SiamBAN network (siamban/tracker/siamban_tracker.py). The template lives here, not
 * in the network, so that many trackers can share one.
 */
export class SiamBANTracker implements Tracker {
  readonly #model: SiamBAN;
  readonly #options: SiamBANTrackerOptions;
  readonly #points: PointGrid;
  readonly #window: Float64Array;
  #target?: Target;

  /** @param model In evaluation mode; the caller keeps and disposes of it. */
  constructor(model: SiamBAN, options: SiamBANTrackerOptions) {
    this.#model = model;
    this.#options = options;
    this.#points = pointGrid({ stride: options.stride, size: options.scoreSize });
    this.#window = cosineWindow(options.scoreSize);
  }

  /** @throws {RangeError} If the box has no area. */
  init(frame: Image, box: Ltwh): void {
    if (!(box.w > 0 && box.h > 0)) {
      throw new RangeError(`Cannot follow a box of ${box.w} x ${box.h} pixels: expected an area`);
    }
    this[Symbol.dispose]();
    // Parity: the centre of the first box counts pixels, (w - 1) / 2; later ones are w / 2.
    const target = { cx: box.x + (box.w - 1) / 2, cy: box.y + (box.h - 1) / 2, w: box.w, h: box.h };
    const { exemplarSize, contextAmount } = this.#options;
    const border = meanColor(frame);
    const side = trackerTemplateSide(target, contextAmount);
    const crop = getSubwindow(frame, { ...target, size: exemplarSize, side, border });
    const features = tf.tidy(() => [...this.#model.template(toTensor(crop))]);
    for (const feature of features) tf.keep(feature);
    this.#target = { features, border, box: target };
  }

  track(frame: Image): Tracked {
    if (!this.#target) throw new Error("Cannot track: there is no target yet, call init() first");
    const { features, border, box } = this.#target;
    const { searchSize } = this.#options;
    const { scale, side } = trackerSearch(box, this.#options);
    const crop = getSubwindow(frame, { ...box, size: searchSize, side, border });
    const selection = selectBox(this.#respond(features, crop), {
      ...this.#options,
      points: this.#points,
      window: this.#window,
      previous: { w: box.w * scale, h: box.h * scale },
    });
    const found = selection.box;
    const rate = selection.penalty * selection.score * this.#options.scaleLr;
    const next = clipToImage({
      cx: box.cx + found.cx / scale,
      cy: box.cy + found.cy / scale,
      w: box.w * (1 - rate) + found.w / scale * rate,
      h: box.h * (1 - rate) + found.h / scale * rate,
    }, { w: frame.width, h: frame.height });
    this.#target = { features, border, box: next };
    return { box: centerToLtwh(next), score: selection.score };
  }

  /** Frees the template's features. */
  [Symbol.dispose](): void {
    this.#target?.features.forEach((feature) => feature.dispose());
    this.#target = undefined;
  }

  #respond(features: Features, crop: Image): Response {
    const [scores, distances] = tf.tidy((): Tensor[] => {
      const { cls, loc } = this.#model.track(features, toTensor(crop));
      return [targetProbability(cls), loc];
    });
    const response = {
      scores: scores.dataSync<"float32">(),
      distances: distances.dataSync<"float32">(),
    };
    scores.dispose();
    distances.dispose();
    return response;
  }
}

/** Probability of the target at each point: a head has two channels, background and target, or only the latter. */
function targetProbability(cls: Tensor4D): Tensor4D {
  if (cls.shape[3] === 1) return tf.sigmoid(cls);
  return tf.softmax(cls).slice([0, 0, 0, 1], [-1, -1, -1, 1]);
}

/** An image as a batch of one, `[1, H, W, 3]`. */
function toTensor(image: Image): Tensor4D {
  return tf.tensor4d(Float32Array.from(image.data), [1, image.height, image.width, 3]);
}
