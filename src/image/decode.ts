import { isAvailable } from "../ffi/library.ts";
import { applyOrientation, readOrientation } from "./exif.ts";
import { gifSizes } from "./gif_size.ts";
import { fromRgba, imageScript } from "./imagescript.ts";
import { type DecodedImage, decodeTurbo, turboJpeg } from "./turbojpeg.ts";

export type { DecodedImage } from "./turbojpeg.ts";

/** Who decodes and encodes JPEG. */
export type JpegCodec = "libjpeg-turbo" | "imagescript";

/** What {@linkcode decodeImage} may be told. */
export interface DecodeOptions {
  /** Name of the file, for messages. */
  readonly path?: string;
  /** Decoder of JPEG files; libjpeg-turbo where it is installed. */
  readonly decoder?: JpegCodec;
}

/** The JPEG decoder that {@linkcode decodeImage} takes on this machine. */
export function jpegDecoderName(): JpegCodec {
  return isAvailable(turboJpeg) ? "libjpeg-turbo" : "imagescript";
}

/** The file of libjpeg-turbo that is used; nothing where it is not installed. */
export function jpegDecoderFile(): string | undefined {
  return isAvailable(turboJpeg) ? turboJpeg.location() : undefined;
}

/**
 * Decodes a picture: JPEG, PNG, or the first frame of a GIF. Alpha is dropped, gray becomes
 * three equal channels, and a JPEG's EXIF orientation is applied, as OpenCV's `imread` does.
 *
 * With libjpeg-turbo the pixels of a JPEG equal OpenCV's. With `imagescript` they differ by up to 2
 * in gray pictures and more at the edges of subsampled colour, and a truncated file is an error.
 *
 * @throws {SyntaxError} If it is no such file, or a damaged one.
 */
export async function decodeImage(
  bytes: Uint8Array<ArrayBuffer>,
  { path, decoder = jpegDecoderName() }: DecodeOptions = {},
): Promise<DecodedImage> {
  const name = path === undefined ? "the picture" : `"${path}"`;
  if (bytes.length === 0) throw new SyntaxError(`Cannot decode ${name}: it is empty`);
  try {
    switch (formatOf(bytes)) {
      case "jpeg":
        return await decodeJpeg(bytes, decoder);
      case "png":
        return await decodeWithImageScript(bytes);
      case "gif":
        return await decodeGif(bytes);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SyntaxError(`Cannot decode ${name}: ${reason}`, { cause });
  }
  const start = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0"));
  throw new SyntaxError(
    `Cannot decode ${name}: it starts with [${start.join(" ")}], expected JPEG, PNG or GIF`,
  );
}

/**
 * Reads and decodes a picture; see {@linkcode decodeImage}.
 *
 * @throws {Deno.errors.NotFound} If there is no such file.
 * @throws {SyntaxError} If it is not a picture.
 */
export async function readImage(
  path: string,
  options: Omit<DecodeOptions, "path"> = {},
): Promise<DecodedImage> {
  return await decodeImage(await Deno.readFile(path), { ...options, path });
}

/** Somewhat more than 3840 x 2160, which is large for a GIF. */
const MAXIMUM_GIF_PIXELS = 2 ** 23;

const SIGNATURES = {
  jpeg: [0xff, 0xd8, 0xff],
  png: [0x89, 0x50, 0x4e, 0x47],
  gif: [0x47, 0x49, 0x46, 0x38],
} as const;

function formatOf(bytes: Uint8Array): keyof typeof SIGNATURES | undefined {
  for (const [format, signature] of Object.entries(SIGNATURES)) {
    if (signature.every((byte, i) => bytes[i] === byte)) return format as keyof typeof SIGNATURES;
  }
}

async function decodeJpeg(
  bytes: Uint8Array<ArrayBuffer>,
  decoder: JpegCodec,
): Promise<DecodedImage> {
  const stored = decoder === "libjpeg-turbo"
    ? decodeTurbo(bytes)
    : await decodeWithImageScript(bytes);
  return { ...stored, ...applyOrientation(stored, readOrientation(bytes)) };
}

async function decodeWithImageScript(bytes: Uint8Array): Promise<DecodedImage> {
  const { Image } = await imageScript();
  const { width, height, bitmap } = await Image.decode(bytes);
  return fromRgba(bitmap, { width, height });
}

async function decodeGif(bytes: Uint8Array): Promise<DecodedImage> {
  // A file of fifty bytes may ask for gigabytes.
  for (const { w, h } of gifSizes(bytes)) {
    if (w * h > MAXIMUM_GIF_PIXELS) {
      throw new RangeError(`it has ${w} x ${h} pixels, expected at most ${MAXIMUM_GIF_PIXELS}`);
    }
  }
  const { GIF } = await imageScript();
  const [{ width, height, bitmap }] = await GIF.decode(bytes, true);
  return fromRgba(bitmap, { width, height });
}
