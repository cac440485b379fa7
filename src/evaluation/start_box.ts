import { type Ltwh, polygonToBox } from "../geometry/boxes.ts";
import { enclosingBox, isPolygon, type Region } from "./region.ts";
import type { ProtocolName } from "./results.ts";

/**
 * The box that a tracker is started with on a benchmark (siamban/tools/test.py). Four corners become
 * the upright box of their area ({@linkcode polygonToBox}), other polygons the box around them.
 *
 * @param protocol With restarts a box is taken as it is.
 */
export function startBox(region: Region, protocol: ProtocolName): Ltwh {
  if (!isPolygon(region)) {
    // Parity: in one pass the published tools take the middle of the given box, but the tracker's
    // first centre counts pixels, so that it starts half a pixel to the right and below.
    const shift = protocol === "restart" ? 0 : 0.5;
    return { ...region, x: region.x + shift, y: region.y + shift };
  }
  if (region.points.length !== 8) return enclosingBox(region);
  const { cx, cy, w, h } = polygonToBox(region.points);
  return { x: cx - (w - 1) / 2, y: cy - (h - 1) / 2, w, h };
}
