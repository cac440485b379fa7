import { crc32 } from "node:zlib";
import { decodeImage } from "../../../src/image/decode.ts";
import { encodeGif } from "../../../src/image/encode.ts";
import type { Image } from "../../../src/image/image.ts";
import { demand, fixtures, type Target } from "../target.ts";

function checkImage({ width, height, data }: Image): void {
  demand(width > 0 && height > 0, "a picture with pixels");
  demand(data.length === 3 * width * height, `${3 * width * height} bytes of pixels`);
}

const JPEG_WORDS = [
  "\xff\xd8",
  "\xff\xd9",
  "\xff\xda",
  "\xff\xc4",
  "\xff\xdb",
  "\xff\xc0",
  "\xff\xc2",
];

/** The decoder that is used wherever it is installed. */
const jpeg: Target = {
  name: "jpeg",
  corpus: () => fixtures("images", /\.jpg$/),
  run: async (bytes) => checkImage(await decodeImage(bytes)),
  allowedErrors: [SyntaxError],
  dictionary: [
    ...JPEG_WORDS,
    "\xff\xe1\0\x20Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0",
  ],
};

/** The decoder of machines without libjpeg-turbo. */
const jpegWithoutLibrary: Target = {
  name: "jpeg-without-library",
  corpus: () => fixtures("images", /^jpeg\.(gray|odd).*\.jpg$/),
  run: async (bytes) => checkImage(await decodeImage(bytes, { decoder: "imagescript" })),
  allowedErrors: [SyntaxError],
  dictionary: JPEG_WORDS,
  share: 0.25,
};

const png: Target = {
  name: "png",
  corpus: async () => [
    ...await fixtures("images", /^(gray|flip|patch|jpeg\.odd.*)\.png$/),
    ...await fixtures("data", /\.png$/),
  ],
  run: async (bytes) => checkImage(await decodeImage(bytes)),
  allowedErrors: [SyntaxError],
  dictionary: ["IHDR", "IDAT", "PLTE", "tRNS", "IEND", "II*\0", "GIF89a"],
  repair: repairChunks,
  share: 0.5,
};

/** Makes the checksums of all whole chunks right. */
function repairChunks(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(bytes.buffer);
  for (let at = 8; at + 12 <= bytes.length;) {
    const length = view.getUint32(at);
    if (at + 12 + length > bytes.length) break;
    view.setUint32(at + 8 + length, crc32(bytes.subarray(at + 4, at + 8 + length)));
    at += 12 + length;
  }
  return bytes;
}

/** Two by two pixels in the colours of a table. */
const GIF = "GIF89a\x02\0\x02\0\x80\0\0\xff\0\0\0\0\xff!\xf9\x04\0\0\0\0\0" +
  ",\0\0\0\0\x02\0\x02\0\0\x02\x03\x44\x02\x05\0;";

const gif: Target = {
  name: "gif",
  corpus: async () => [latin1(GIF), await twoFrames()],
  run: async (bytes) => checkImage(await decodeImage(bytes)),
  allowedErrors: [SyntaxError],
  dictionary: [
    "GIF87a",
    "GIF89a",
    "!\xf9\x04",
    "!\xfe",
    "!\xff\x0bNETSCAPE2.0",
    ",\0\0\0\0",
    "\xff\xff",
  ],
  share: 0.25,
};

async function twoFrames(): Promise<Uint8Array<ArrayBuffer>> {
  const picture = (value: number) => ({
    width: 6,
    height: 4,
    data: new Uint8Array(72).fill(value),
  });
  return await encodeGif([picture(20), picture(200)]);
}

/** Two by one gray pixels, not compressed. */
function tiffBytes(): Uint8Array<ArrayBuffer> {
  const fields = [[256, 2], [257, 1], [258, 8], [259, 1], [262, 1], [273, 8], [277, 1], [278, 1], [
    279,
    2,
  ]];
  const view = new DataView(new ArrayBuffer(10 + 2 + 12 * fields.length + 4));
  latin1("II*\0\x0a\0\0\0\x40\xc0").forEach((byte, i) => view.setUint8(i, byte));
  view.setUint16(10, fields.length, true);
  fields.forEach(([tag, value], i) => {
    view.setUint16(12 + 12 * i, tag, true);
    view.setUint16(14 + 12 * i, 3, true);
    view.setUint32(16 + 12 * i, 1, true);
    view.setUint16(20 + 12 * i, value, true);
  });
  return new Uint8Array(view.buffer);
}

const tiff: Target = {
  name: "tiff",
  corpus: () => [tiffBytes()],
  run: async (bytes) => checkImage(await decodeImage(bytes)),
  allowedErrors: [SyntaxError],
  share: 0.25,
};

function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export const PICTURE_TARGETS = [jpeg, jpegWithoutLibrary, png, gif, tiff];
