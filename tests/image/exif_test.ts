import { assertEquals } from "@std/assert";
import { decodeImage } from "../../src/image/decode.ts";
import { encodeJpeg } from "../../src/image/encode.ts";
import { applyOrientation, type Orientation, readOrientation } from "../../src/image/exif.ts";
import { createImage } from "../../src/image/image.ts";

// 1 2 3 / 4 5 6 stored, and how each orientation shows it (EXIF 2.3, tag 0x0112).
const SHOWN: Record<Orientation, string> = {
  1: "123/456",
  2: "321/654",
  3: "654/321",
  4: "456/123",
  5: "14/25/36",
  6: "41/52/63",
  7: "63/52/41",
  8: "36/25/14",
};

/** Puts an EXIF block with one orientation entry behind the start marker. */
function withOrientation(
  jpeg: Uint8Array,
  value: number,
  little: boolean,
): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(4 + 6 + 8 + 2 + 12 + 4);
  const view = new DataView(block.buffer);
  view.setUint16(0, 0xffe1);
  view.setUint16(2, block.length - 2);
  block.set(new TextEncoder().encode("Exif"), 4);
  const tiff = new DataView(block.buffer, 10);
  tiff.setUint16(0, little ? 0x4949 : 0x4d4d);
  tiff.setUint16(2, 42, little);
  tiff.setUint32(4, 8, little);
  tiff.setUint16(8, 1, little);
  tiff.setUint16(10, 0x0112, little);
  tiff.setUint16(12, 3, little); // SHORT
  tiff.setUint32(14, 1, little);
  tiff.setUint16(18, value, little);
  return Uint8Array.of(...jpeg.subarray(0, 2), ...block, ...jpeg.subarray(2));
}

Deno.test("applyOrientation() turns and mirrors as EXIF says", () => {
  const data = Uint8Array.from({ length: 18 }, (_, i) => 1 + Math.floor(i / 3));
  for (const [orientation, shown] of Object.entries(SHOWN)) {
    const image = applyOrientation(
      { width: 3, height: 2, data },
      Number(orientation) as Orientation,
    );
    const rows = Array.from(
      { length: image.height },
      (_, y) =>
        Array.from({ length: image.width }, (_, x) => image.data[3 * (y * image.width + x)]),
    );
    assertEquals(rows.map((row) => row.join("")).join("/"), shown);
  }
});

Deno.test("readOrientation() reads both byte orders; 1 for none, nonsense or a cut block", async () => {
  const jpeg = await encodeJpeg(createImage(8, 8));
  assertEquals(readOrientation(jpeg), 1);
  for (const little of [true, false]) {
    assertEquals(readOrientation(withOrientation(jpeg, 6, little)), 6);
    assertEquals(readOrientation(withOrientation(jpeg, 9, little)), 1);
  }
  const marked = withOrientation(jpeg, 6, true);
  for (let length = 0; length < 40; length++) {
    const cut = marked.slice(0, length);
    assertEquals([1, 6].includes(readOrientation(cut)), true, `cut at ${length}`);
  }
});

Deno.test("decodeImage() turns a JPEG upright", async () => {
  const jpeg = withOrientation(await encodeJpeg(createImage(16, 8)), 6, true);
  const { width, height } = await decodeImage(jpeg);
  assertEquals([width, height], [8, 16]);
});
