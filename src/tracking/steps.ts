/**
 * The steps of tracking with a SiamBAN network as functions of values (siamban/tracker/siamban_tracker.py):
 * whoever calls them decides how many targets, settings or sequences go through the network at once.
 *
 * @module
 */
import * as tf from "@tensorflow/tfjs";
import { toTensor } from "../backends/mod.ts";
import { type Center, centerToLtwh, type Ltwh } from "../geometry/boxes.ts";
import { clipToImage, trackerSearch, trackerTemplateSide } from "../geometry/context.ts";
import { type PointGrid, pointGrid } from "../geometry/points.ts";
import { type Color, type Image, meanColor } from "../image/image.ts";
import { getSubwindow, subwindowCorner } from "../image/subwindow.ts";
import type { Features } from "../models/backbone/mod.ts";
import type { SiamBAN } from "../models/siamban.ts";
import { imageInput } from "./image_input.ts";
import { type Search, SearchNetwork } from "./search_network.ts";
import { cosineWindow, type Response, selectBox, type SelectOptions } from "./select.ts";
import type { Tracked } from "./tracker.ts";

/** Settings of tracking; sizes in pixels. */
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

/** What a target looks like, from its first frame. */
export interface Template extends Disposable {
  readonly features: Features;
  /** Mean of the first frame by channel, which fills what lies outside of a frame. */
  readonly border: Color;
}

/** Where a tracker starts from a given box. */
export function startCenter({ x, y, w, h }: Ltwh): Center {
  // Parity: the centre of the first box counts pixels, (w - 1) / 2; later ones are w / 2.
  return { cx: x + (w - 1) / 2, cy: y + (h - 1) / 2, w, h };
}

/**
 * Learns what a target looks like; the caller disposes of it.
 *
 * @param frame B, G, R.
 * @throws {RangeError} If the box has no area.
 */
export function learnTemplate(
  model: Pick<SiamBAN, "template">,
  { frame, box, exemplarSize, contextAmount }:
    & { readonly frame: Image; readonly box: Ltwh }
    & Pick<SiamBANTrackerOptions, "exemplarSize" | "contextAmount">,
): Template {
  if (!(box.w > 0 && box.h > 0)) {
    throw new RangeError(`Cannot follow a box of ${box.w} x ${box.h} pixels: expected an area`);
  }
  const border = meanColor(frame), side = trackerTemplateSide(box, contextAmount);
  const crop = getSubwindow(frame, { ...startCenter(box), size: exemplarSize, side, border });
  const features = tf.tidy(() => [...model.template(toTensor(imageInput([crop])))]);
  for (const feature of features) tf.keep(feature);
  return {
    features,
    border,
    [Symbol.dispose]() {
      for (const feature of features) feature.dispose();
    },
  };
}

/** The square around a target that is searched in the next frame; of whole pixels. */
export interface SearchSquare {
  readonly left: number;
  readonly top: number;
  readonly side: number;
  /** Search-image pixels a pixel of the frame. */
  readonly scale: number;
}

/** The square that is searched around a target. Targets of different settings may share one. */
export function searchSquare(box: Center, options: SiamBANTrackerOptions): SearchSquare {
  const { scale, side } = trackerSearch(box, options);
  return { ...subwindowCorner({ cx: box.cx, cy: box.cy, side }), side, scale };
}

/** The network's input for a search around a target. */
export function cropSearch(
  frame: Image,
  box: Center,
  { border, searchSize, side }: {
    readonly border: Color;
    readonly searchSize: number;
    readonly side: number;
  },
): Image {
  return getSubwindow(frame, { cx: box.cx, cy: box.cy, size: searchSize, side, border });
}

export type { Search } from "./search_network.ts";

/** Looks for several templates, each in its own crop, in one pass through the network. */
export function respond(model: Pick<SiamBAN, "track">, searches: readonly Search[]): Response[] {
  using network = new SearchNetwork(model);
  return network.respond(searches);
}

/** Where a response's points lie and what they weigh; one for each size of response. */
export interface ResponseGrid {
  readonly points: PointGrid;
  readonly window: Float64Array;
}

/** The grid of a tracker's responses. */
export function responseGrid(
  { stride, scoreSize }: Pick<SiamBANTrackerOptions, "stride" | "scoreSize">,
): ResponseGrid {
  return { points: pointGrid({ stride, size: scoreSize }), window: cosineWindow(scoreSize) };
}

/** A target's place after a frame, with what a tracker says of it. */
export interface Moved extends Tracked {
  readonly next: Center;
}

/**
 * Moves a target to where a response shows it.
 *
 * @param box Its place before.
 * @param size Of the frame.
 */
export function moveTarget(
  box: Center,
  response: Response,
  { options, grid, scale, size }: {
    readonly options: SiamBANTrackerOptions;
    readonly grid: ResponseGrid;
    /** Of the square that was searched. */
    readonly scale: number;
    readonly size: Pick<Image, "width" | "height">;
  },
): Moved {
  const selection = selectBox(response, {
    ...options,
    ...grid,
    previous: { w: box.w * scale, h: box.h * scale },
  });
  const found = selection.box, rate = selection.penalty * selection.score * options.scaleLr;
  const next = clipToImage({
    cx: box.cx + found.cx / scale,
    cy: box.cy + found.cy / scale,
    w: box.w * (1 - rate) + found.w / scale * rate,
    h: box.h * (1 - rate) + found.h / scale * rate,
  }, { w: size.width, h: size.height });
  return { next, box: centerToLtwh(next), score: selection.score };
}
