/**
 * JPEG through libjpeg-turbo's TurboJPEG interface (turbojpeg.h; the functions of version 2, which
 * version 3 keeps). With the accurate DCT its pixels, and the files it writes, equal OpenCV's.
 *
 * @module
 */
import { NativeHandle } from "../ffi/handle.ts";
import { type Library, NativeError, openLibrary } from "../ffi/library.ts";
import { addressOf, cString } from "../ffi/memory.ts";
import { createImage, type Image } from "./image.ts";

const symbols = {
  tjInitDecompress: { parameters: [], result: "u64" }, // tjhandle
  tjInitCompress: { parameters: [], result: "u64" }, // tjhandle
  tjDestroy: { parameters: ["u64"], result: "i32" }, // tjhandle
  tjGetErrorStr2: { parameters: ["u64"], result: "pointer" }, // tjhandle -> char *
  tjGetErrorCode: { parameters: ["u64"], result: "i32" }, // tjhandle -> TJERR: 0 warning, 1 fatal
  tjBufSize: { parameters: ["i32", "i32", "i32"], result: "u64" }, // width, height, subsampling
  tjDecompressHeader3: { // tjhandle, jpeg, size, int *width, *height, *subsampling, *colorspace
    parameters: ["u64", "buffer", "u64", "buffer", "buffer", "buffer", "buffer"],
    result: "i32",
  },
  tjDecompress2: { // tjhandle, jpeg, size, pixels, width, pitch, height, pixel format, flags
    parameters: ["u64", "buffer", "u64", "buffer", "i32", "i32", "i32", "i32", "i32"],
    result: "i32",
  },
  tjCompress2: { // tjhandle, pixels, w, pitch, h, format, char **jpeg, *size, subsamp, quality, flags
    parameters: [
      "u64",
      "buffer",
      "i32",
      "i32",
      "i32",
      "i32",
      "buffer",
      "buffer",
      "i32",
      "i32",
      "i32",
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** libjpeg-turbo, opened at its first use. */
export const turboJpeg: Library<typeof symbols> = openLibrary({
  name: "libjpeg-turbo",
  files: ["libturbojpeg.so.0", "libturbojpeg.so", "libturbojpeg.0.dylib", "libturbojpeg.dylib"],
  env: "TURBOJPEG_PATH",
  remedy: 'install it with "apt install libturbojpeg0" (Debian) or "libturbojpeg" (Ubuntu)',
}, symbols);

const PIXEL_FORMAT_BGR = 1;
const PIXEL_FORMAT_CMYK = 11;
const SUBSAMPLING_420 = 2;
const NO_REALLOC = 1024;
const ACCURATE_DCT = 4096;
const LIMIT_SCANS = 32768; // refuses the files of a few kilobytes that take minutes to decode
const COLORSPACE_CMYK = 3; // and YCCK, 4
const MAXIMUM_PIXELS = 2 ** 28;

/** A decoded picture, and what the decoder had to overlook, such as a file that ends early. */
export interface DecodedImage extends Image {
  readonly warning?: string;
}

/**
 * Decodes a JPEG file. Parity: what is missing from a truncated file is filled as OpenCV fills it.
 *
 * @throws {LibraryNotFoundError} If libjpeg-turbo is absent.
 * @throws {NativeError} If the file is damaged beyond a warning.
 * @throws {RangeError} If it has more than 2^28 pixels.
 */
export function decodeTurbo(bytes: Uint8Array<ArrayBuffer>): DecodedImage {
  const tj = turboJpeg();
  using decoder = createCoder(tj.tjInitDecompress);
  const length = BigInt(bytes.length);
  const [width, height, subsampling, colorspace] = [0, 1, 2, 3].map(() => new Int32Array(1));
  const header = tj.tjDecompressHeader3(
    decoder.address,
    bytes,
    length,
    width,
    height,
    subsampling,
    colorspace,
  );
  const headerWarning = check("tjDecompressHeader3", header, decoder);
  const [w, h] = [width[0], height[0]];
  if (w < 1 || h < 1) {
    throw new NativeError("tjDecompressHeader3", header, headerWarning ?? "The picture is empty");
  }
  if (w * h > MAXIMUM_PIXELS) {
    throw new RangeError(`Cannot decode ${w} x ${h} pixels, expected at most ${MAXIMUM_PIXELS}`);
  }
  const cmyk = colorspace[0] >= COLORSPACE_CMYK;
  const pixels = new Uint8Array(w * h * (cmyk ? 4 : 3));
  const format = cmyk ? PIXEL_FORMAT_CMYK : PIXEL_FORMAT_BGR;
  const flags = ACCURATE_DCT | LIMIT_SCANS;
  const status = tj.tjDecompress2(decoder.address, bytes, length, pixels, w, 0, h, format, flags);
  const warning = check("tjDecompress2", status, decoder);
  const image = cmyk ? cmykToImage(pixels, w, h) : { width: w, height: h, data: pixels };
  return warning === undefined ? image : { ...image, warning };
}

/**
 * Encodes a JPEG file of chroma 4:2:0; the bytes equal those of `cv2.imwrite`.
 *
 * @param quality 1..100.
 * @throws {LibraryNotFoundError} If libjpeg-turbo is absent.
 * @throws {NativeError} If the library refuses.
 */
export function encodeTurbo(
  { width, height, data }: Image,
  quality: number,
): Uint8Array<ArrayBuffer> {
  const tj = turboJpeg();
  using encoder = createCoder(tj.tjInitCompress);
  const out = new Uint8Array(Number(tj.tjBufSize(width, height, SUBSAMPLING_420)));
  const size = BigUint64Array.of(BigInt(out.length));
  const address = BigUint64Array.of(addressOf(out));
  const status = tj.tjCompress2(
    encoder.address,
    data as Uint8Array<ArrayBuffer>,
    width,
    0,
    height,
    PIXEL_FORMAT_BGR,
    address,
    size,
    SUBSAMPLING_420,
    quality,
    ACCURATE_DCT | NO_REALLOC,
  );
  check("tjCompress2", status, encoder);
  return out.slice(0, Number(size[0]));
}

function createCoder(create: () => bigint): NativeHandle {
  return new NativeHandle((out) => out[0] = create(), (coder) => turboJpeg().tjDestroy(coder));
}

/** Returns the text of a warning. */
function check(
  call: keyof typeof symbols,
  status: number,
  coder: NativeHandle,
): string | undefined {
  if (status === 0) return undefined;
  const text = cString(turboJpeg().tjGetErrorStr2(coder.address));
  if (turboJpeg().tjGetErrorCode(coder.address) === 0) return text;
  throw new NativeError(call, status, text);
}

/** Parity: OpenCV's integer conversion (`icvCvt_CMYK2BGR_8u_C4C3R`), which takes inverted inks. */
function cmykToImage(cmyk: Uint8Array, width: number, height: number): Image {
  const image = createImage(width, height);
  for (let from = 0, to = 0; from < cmyk.length; from += 4, to += 3) {
    const black = cmyk[from + 3];
    image.data[to] = black - ((255 - cmyk[from + 2]) * black >> 8);
    image.data[to + 1] = black - ((255 - cmyk[from + 1]) * black >> 8);
    image.data[to + 2] = black - ((255 - cmyk[from]) * black >> 8);
  }
  return image;
}
