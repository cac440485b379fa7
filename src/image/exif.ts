import { createImage, type Image } from "./image.ts";

/** How to turn stored pixels upright: EXIF tag 0x0112, 1 (as they are) to 8. */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

const EXIF_MARKER = [0x45, 0x78, 0x69, 0x66, 0, 0]; // "Exif", 0, 0
const ORIENTATION_TAG = 0x0112;

/** Reads the orientation out of a JPEG file; 1 where there is none or it makes no sense. */
export function readOrientation(jpeg: Uint8Array): Orientation {
  const view = new DataView(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength);
  for (let at = 2; at + 4 <= jpeg.length && jpeg[at] === 0xff;) {
    const marker = jpeg[at + 1];
    if (marker === 0xda || marker === 0xd9) break; // pixels begin: no more headers
    const length = view.getUint16(at + 2);
    const body = at + 4;
    if (marker === 0xe1 && EXIF_MARKER.every((byte, i) => jpeg[body + i] === byte)) {
      return orientationOfTiff(jpeg.subarray(body + EXIF_MARKER.length, at + 2 + length));
    }
    at += 2 + length;
  }
  return 1;
}

/** Searches the first directory of a TIFF block (EXIF 2.3, section 4.5). */
function orientationOfTiff(tiff: Uint8Array): Orientation {
  if (tiff.length < 8) return 1;
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength);
  const little = view.getUint16(0) === 0x4949; // "II", else "MM"
  const directory = view.getUint32(4, little);
  if (directory + 2 > tiff.length) return 1;
  const entries = view.getUint16(directory, little);
  for (let i = 0, at = directory + 2; i < entries && at + 12 <= tiff.length; i++, at += 12) {
    if (view.getUint16(at, little) !== ORIENTATION_TAG) continue;
    const value = view.getUint16(at + 8, little);
    return value >= 1 && value <= 8 ? value as Orientation : 1;
  }
  return 1;
}

/** Turns and mirrors stored pixels so that they stand upright. */
export function applyOrientation(image: Image, orientation: Orientation): Image {
  if (orientation === 1) return image;
  const { width, height, data } = image;
  const swapped = orientation >= 5; // 5..8 exchange rows and columns
  const out = swapped ? createImage(height, width) : createImage(width, height);
  const mirrorX = [2, 3, 7, 8].includes(orientation); // in the stored picture
  const mirrorY = [3, 4, 6, 7].includes(orientation);
  for (let row = 0, to = 0; row < out.height; row++) {
    for (let column = 0; column < out.width; column++, to += 3) {
      const x = swapped ? row : column, y = swapped ? column : row;
      const from = ((mirrorY ? height - 1 - y : y) * width + (mirrorX ? width - 1 - x : x)) * 3;
      out.data[to] = data[from];
      out.data[to + 1] = data[from + 1];
      out.data[to + 2] = data[from + 2];
    }
  }
  return out;
}
