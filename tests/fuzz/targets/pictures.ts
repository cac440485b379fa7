import { crc32 } from "node:zlib";
import { decodeImage } from "../../../src/image/decode.ts";
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

export const PICTURE_TARGETS = [jpeg, jpegWithoutLibrary, png];
