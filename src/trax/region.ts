/** Regions as TraX writes them. */
import { enclosingBox, numbersOf, type Region } from "../evaluation/region.ts";
import type { Ltwh } from "../geometry/boxes.ts";
import { TraxError } from "./trax_error.ts";

/** Forms that a client may send, as `trax.region` names them; masks become boxes too, but are not asked for. */
export const REGION_FORMS = "rectangle;polygon;";

const MASK = "mask:";

/**
 * Parses a region: `left,top,width,height`, a polygon `x1,y1,x2,y2,…` of at least three corners, or
 * `mask:left,top,width,height,` and lengths of runs, of which the box around it is kept.
 *
 * @throws {TraxError} If it is something else, or without an area.
 */
export function parseRegion(text: string): Region {
  const isMask = text.startsWith(MASK);
  const words = (isMask ? text.slice(MASK.length) : text).split(",");
  const numbers = words.map((word) => word.trim() === "" ? NaN : Number(word));
  const fail = (reason: string): never => {
    const start = text.length <= 80 ? text : `${text.slice(0, 80)}…`;
    throw new TraxError(`Cannot use region "${start}": ${reason}`);
  };
  if (!numbers.every((number) => Math.abs(number) <= MAX_COORDINATE)) {
    fail(`expected numbers of at most ${MAX_COORDINATE}`);
  }
  if (!isMask && (numbers.length < 4 || numbers.length % 2 !== 0)) {
    fail("expected a rectangle of 4 numbers or a polygon of 6 or more");
  }
  if (!isMask && numbers.length > 2 * MAX_CORNERS) fail(`it has more than ${MAX_CORNERS} corners`);
  const region = isMask ? maskBox(numbers) : toRegion(numbers);
  const { w, h } = enclosingBox(region);
  return w > 0 && h > 0 ? region : fail("it has no area");
}

/** No picture is so large; what is larger would not be a region of one. */
const MAX_COORDINATE = 1e6;
/** Of a polygon. */
const MAX_CORNERS = 10_000;

function toRegion(numbers: readonly number[]): Region {
  if (numbers.length > 4) return { points: numbers };
  const [x, y, w, h] = numbers;
  return { x, y, w, h };
}

/** Box around the ones of a mask, found run by run, so that nothing as large as the mask is made. */
function maskBox([x, y, width, height, ...runs]: readonly number[]): Ltwh {
  let left = Infinity, top = Infinity, right = -Infinity, bottom = -Infinity, at = 0;
  runs.forEach((length, i) => {
    const end = Math.min(at + length, width * height) - 1;
    if (i % 2 === 1 && end >= at) {
      const first = Math.floor(at / width), last = Math.floor(end / width);
      top = Math.min(top, first);
      bottom = Math.max(bottom, last);
      left = Math.min(left, first === last ? at % width : 0);
      right = Math.max(right, first === last ? end % width : width - 1);
    }
    at += length;
  });
  const box = { x: x + left, y: y + top, w: right - left + 1, h: bottom - top + 1 };
  return Number.isFinite(box.w) ? box : { x, y, w: 0, h: 0 };
}

/** A region as a client reads it. */
export function formatRegion(region: Region): string {
  return numbersOf(region).map((number) => number.toFixed(4)).join(",");
}
