import type { JpegCodec } from "./decode.ts";
import { jpegDecoderName } from "./decode.ts";
import type { Image } from "./image.ts";
import { imageScript, toRgba } from "./imagescript.ts";
import { encodeTurbo } from "./turbojpeg.ts";

/**
 * Encodes a JPEG file. With libjpeg-turbo the bytes equal those of `cv2.imwrite`: chroma 4:2:0, the
 * accurate DCT, no optimised tables.
 *
 * @param quality 1..100; 95, as OpenCV.
 */
export async function encodeJpeg(
  image: Image,
  quality = 95,
  { encoder = jpegDecoderName() }: { readonly encoder?: JpegCodec } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  if (encoder === "libjpeg-turbo") return encodeTurbo(image, quality);
  const copy = await toImageScript(image);
  return plain(await copy.encodeJPEG(quality as Parameters<typeof copy.encodeJPEG>[0]));
}

/** Encodes a PNG file. */
export async function encodePng(image: Image): Promise<Uint8Array<ArrayBuffer>> {
  return plain(await (await toImageScript(image)).encode());
}

/**
 * Encodes an animated GIF that repeats for ever.
 *
 * @param frames Pictures of one size.
 * @param delayMs How long each is shown; a multiple of 10.
 * @throws {RangeError} If there is no frame.
 */
export async function encodeGif(
  frames: readonly Image[],
  delayMs = 40,
): Promise<Uint8Array<ArrayBuffer>> {
  if (frames.length === 0) throw new RangeError("Cannot encode a GIF of no frames");
  const { Frame, GIF } = await imageScript();
  const gif = new GIF(frames.map((image) => {
    const frame = new Frame(image.width, image.height, delayMs);
    toRgba(image, frame.bitmap);
    return frame;
  }));
  return plain(await gif.encode());
}

async function toImageScript(image: Image) {
  const { Image } = await imageScript();
  const copy = new Image(image.width, image.height);
  toRgba(image, copy.bitmap);
  return copy;
}

/** Narrows the type: the library's bytes never lie in shared memory. */
function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}
