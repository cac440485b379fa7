import { concat } from "@std/bytes/concat";
import { crc32, deflateSync, inflateSync } from "node:zlib";
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
  corpus: async () => {
    const files = [
      ...await fixtures("images", /^(gray|flip|patch|jpeg\.odd.*)\.png$/),
      ...await fixtures("data", /\.png$/),
    ];
    // Half are laid open, so that mutations reach the pixels and filters behind the compression.
    return [...files, ...files.filter(({ length }) => length < 10_000).map(openChunks)];
  },
  run: async (bytes) => checkImage(await decodeImage(bytes)),
  allowedErrors: [SyntaxError],
  dictionary: ["IHDR", "IDAT", "PLTE", "tRNS", "IEND", "II*\0", "GIF89a"],
  repair: closeChunks,
  share: 0.5,
};

/** What compressed pixels are called while they lie open. */
const OPEN = "OPEN";

/** Puts the pixels of a PNG into one chunk that is not compressed. */
function openChunks(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const chunks = chunksOf(bytes).chunks;
  const pixels = concat(chunks.filter(({ type }) => type === "IDAT").map(({ data }) => data));
  const first = chunks.findIndex(({ type }) => type === "IDAT");
  const others = chunks.filter(({ type }) => type !== "IDAT");
  const open = { type: OPEN, data: new Uint8Array(inflateSync(pixels)) };
  const all = [...others.slice(0, first), open, ...others.slice(first)];
  return concat([bytes.subarray(0, 8), ...all.map(chunkBytes)]);
}

/** Compresses what lies open, and makes the checksums of all whole chunks right. */
function closeChunks(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { chunks, rest } = chunksOf(bytes);
  const closed = chunks.map(({ type, data }) =>
    type === OPEN ? { type: "IDAT", data: new Uint8Array(deflateSync(data)) } : { type, data }
  );
  return concat([bytes.subarray(0, 8), ...closed.map(chunkBytes), rest]);
}

interface Chunk {
  readonly type: string;
  readonly data: Uint8Array;
}

/** The whole chunks of a PNG, and what follows them. */
function chunksOf(bytes: Uint8Array<ArrayBuffer>) {
  const view = new DataView(bytes.buffer), chunks: Chunk[] = [];
  let at = 8;
  while (at + 12 <= bytes.length) {
    const length = view.getUint32(at);
    if (at + 12 + length > bytes.length) break;
    const type = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    chunks.push({ type, data: bytes.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return { chunks, rest: bytes.subarray(at) };
}

function chunkBytes({ type, data }: Chunk): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(12 + data.length), view = new DataView(bytes.buffer);
  view.setUint32(0, data.length);
  bytes.set(latin1(type), 4);
  bytes.set(data, 8);
  view.setUint32(8 + data.length, crc32(bytes.subarray(4, 8 + data.length)));
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

function latin1(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export const PICTURE_TARGETS = [jpeg, jpegWithoutLibrary, png, gif];
