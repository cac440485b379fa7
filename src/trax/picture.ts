/** Pictures as TraX sends them. */
import { imageSize } from "image-size";
import { decodeImage } from "../image/decode.ts";
import type { Image } from "../image/image.ts";
import { TraxError } from "./trax_error.ts";

/** Forms that a client may send, as `trax.image` names them: files, raw pixels, encoded files. */
export const PICTURE_FORMS = "path;memory;buffer;";

/** No file of a picture is so long. */
const MAX_FILE_BYTES = 1 << 30;

/**
 * Reads a picture: a path or `file://` address of a JPEG or PNG file, `data:image/jpeg;` with such a
 * file in base64, or raw pixels, `image:WIDTH;HEIGHT;FORMAT;` with `rgb`, `gray8` or `gray16` (most
 * significant byte second; the lower byte is dropped) in base64.
 *
 * @returns B, G, R.
 * @throws {TraxError} If it is something else, or there is no such file.
 */
export async function readPicture(address: string): Promise<Image> {
  const [, scheme, rest] = /^([a-z+.-]{2,15}):([^]*)$/.exec(address) ?? [, "", address];
  switch (scheme) {
    case "":
      return await readFile(rest);
    case "file":
      return await readFile(rest.startsWith("//") ? rest.slice(2) : rest);
    case "image":
      return rawPixels(rest);
    case "data":
      return await decodeData(rest);
  }
  throw new TraxError(
    `Cannot read pictures from "${scheme}:", expected a file, or the picture itself as image: or data:`,
  );
}

async function readFile(path: string): Promise<Image> {
  // Clients write paths as they are; a true address has blanks and the like in percent form.
  const info = await stat(path) ?? await stat(path = unescapePath(path));
  if (!info) throw new TraxError(`Cannot read picture "${path}": there is no such file`);
  if (!info.isFile || info.size > MAX_FILE_BYTES) {
    throw new TraxError(`Cannot read picture "${path}": it is not a picture's file`);
  }
  return await decode(await Deno.readFile(path), path);
}

async function stat(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch {
    return undefined;
  }
}

function unescapePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** No camera makes larger ones; a small file may well say so. */
const MAX_PIXELS = 1 << 28;

async function decode(bytes: Uint8Array<ArrayBuffer>, path?: string): Promise<Image> {
  checkSize(bytes);
  try {
    return await decodeImage(bytes, { path });
  } catch (cause) {
    throw new TraxError((cause as Error).message, { cause });
  }
}

function checkSize(bytes: Uint8Array): void {
  let size: { readonly width: number; readonly height: number };
  try {
    size = imageSize(bytes);
  } catch {
    return; // The decoder says better what is wrong.
  }
  if (size.width * size.height <= MAX_PIXELS) return;
  throw new TraxError(`Cannot read a picture of ${size.width} x ${size.height} pixels`);
}

/** `image/jpeg;BASE64`, `image/jpeg;base64;BASE64` or, as elsewhere, `image/jpeg;base64,BASE64`. */
async function decodeData(text: string): Promise<Image> {
  const match = /^image\/(?:jpeg|png);(?:base64[;,])?/i.exec(text);
  if (match) return await decode(decodeBase64(text.slice(match[0].length)));
  throw new TraxError(`Cannot read picture "data:${text.slice(0, 40)}…": expected JPEG or PNG`);
}

const CHANNELS: Readonly<Record<string, number>> = { rgb: 3, gray8: 1, gray16: 2 };

function rawPixels(text: string): Image {
  const match = /^(\d{1,5});(\d{1,5});([a-z0-9]{1,8});/.exec(text);
  const [head, width, height, format] = match ?? ["", "0", "0", ""];
  const w = Number(width), h = Number(height), channels = CHANNELS[format];
  if (!channels || w * h === 0) {
    throw new TraxError(
      `Cannot read picture "image:${
        text.slice(0, 40)
      }…": expected WIDTH;HEIGHT;rgb, gray8 or gray16`,
    );
  }
  const bytes = decodeBase64(text.slice(head.length));
  if (bytes.length !== w * h * channels) {
    throw new TraxError(
      `Cannot read a picture of ${w} x ${h} pixels, ${format}: found ${bytes.length} bytes, ` +
        `expected ${w * h * channels}`,
    );
  }
  return { width: w, height: h, data: toBgr(bytes, channels) };
}

function toBgr(bytes: Uint8Array, channels: number): Uint8Array {
  const pixels = bytes.length / channels, data = new Uint8Array(3 * pixels);
  // The last byte of a pixel is blue, the only one of gray, or the upper one of 16-bit gray.
  const last = channels - 1, red = channels === 3 ? 0 : last, green = channels === 3 ? 1 : last;
  for (let i = 0; i < pixels; i++) {
    data[3 * i] = bytes[channels * i + last];
    data[3 * i + 1] = bytes[channels * i + green];
    data[3 * i + 2] = bytes[channels * i + red];
  }
  return data;
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  try {
    return Uint8Array.fromBase64(text);
  } catch (cause) {
    throw new TraxError("Cannot read a picture: its data is not base64", { cause });
  }
}
