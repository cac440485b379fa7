import { CROP_SETTINGS } from "./cropper.ts";
import type { CropStore } from "./crop_store.ts";
import type { Corner } from "../geometry/boxes.ts";
import { targetInCrop } from "../geometry/context.ts";
import { decodeImage } from "../image/decode.ts";
import { contactSheet, drawBoxes, drawText } from "../image/draw.ts";
import { createImage, type Image } from "../image/image.ts";
import { resizeBilinear } from "../image/resize.ts";

/** Side of a crop on the sheet, in pixels. */
const CELL = 224;
const COLUMNS = 6;
/** Characters of a name that fit into a cell. */
const LETTERS = 36;

/** Crops with their boxes drawn and the ends of their names, for a person to look at. */
export async function drawCropSheet(
  store: CropStore,
  samples: readonly { readonly name: string; readonly box: Corner }[],
): Promise<Image> {
  const cells: Image[] = [];
  for (const { name, box } of samples) {
    const cell = await drawCrop(store, name, box).catch(() => createImage(CELL, CELL));
    const label = name.replace(/\.x\.jpg$/, "").replace(/[^\x20-\x7e]/g, "?");
    cells.push(drawText(cell, label.slice(-LETTERS), { y: CELL - 12 }));
  }
  return contactSheet(cells, { columns: Math.min(COLUMNS, cells.length) });
}

async function drawCrop(store: CropStore, name: string, box: Corner): Promise<Image> {
  const crop = await decodeImage(store.read(name));
  const size = { w: crop.width, h: crop.height };
  const target = targetInCrop(size, { w: box.x2 - box.x1, h: box.y2 - box.y1 }, CROP_SETTINGS);
  const small = resizeBilinear(crop, CELL, CELL);
  const scale = CELL / crop.width;
  const { x1, y1, x2, y2 } = target;
  return drawBoxes(small, [
    { box: { x1: x1 * scale, y1: y1 * scale, x2: x2 * scale, y2: y2 * scale } },
  ]);
}
