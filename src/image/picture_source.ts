import { decodeImage } from "./decode.ts";
import { readOrientation } from "./exif.ts";
import type { Image } from "./image.ts";
import { type Look, renderLook } from "./look.ts";
import { NativeImages } from "./native_images.ts";

/** A picture file that a training image is being made of. */
export interface OpenedPicture {
  readonly width: number;
  readonly height: number;
  /**
   * Decodes as much as the look needs.
   *
   * @throws {SyntaxError} If the file is damaged there.
   */
  decode(look: Look): void;
  /** Writes the training image, `[size, size, 3]`, B, G, R; after {@linkcode decode}. Bytes take a look without colour. */
  render(look: Look, into: Uint8Array | Float32Array): void;
}

/** How far behind the end of its picture a JPEG file may go on. */
const TRAILER_BYTES = 1024;

/**
 * Makes training images from picture files: natively where a library is given and can, else in
 * TypeScript, with the same pixels. One file at a time.
 *
 * Parity: OpenCV fills what is missing of a damaged JPEG with gray and goes on; here it is an error,
 * because nobody wants to learn gray. Natively, damage behind the last row of the window is not seen,
 * unless the file ends too early.
 */
export class PictureSource implements Disposable {
  readonly #native?: NativeImages;

  /** @param library Path of the native image library; TypeScript does the work without. */
  constructor(library?: string) {
    if (library !== undefined) this.#native = new NativeImages(library);
  }

  /**
   * Begins a picture; the one before is done with.
   *
   * @param path Name of the file, for messages.
   * @throws {SyntaxError} If it is no picture, or a damaged one.
   */
  async open(bytes: Uint8Array<ArrayBuffer>, path: string): Promise<OpenedPicture> {
    if (bytes.length === 0) throw new SyntaxError(`Cannot decode "${path}": the file is empty`);
    const jpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
    if (jpeg && endsEarly(bytes)) {
      throw new SyntaxError(`Cannot decode "${path}": the file ends before its picture does`);
    }
    const native = jpeg && readOrientation(bytes) === 1 ? this.#native : undefined;
    const size = native && named(path, () => native.begin(bytes));
    if (native && size) {
      return {
        ...size,
        decode: (look) => named(path, () => native.decode(look)),
        render: (_, into) => native.render(into),
      };
    }
    const image = await decodeImage(bytes, { path });
    if (image.warning) throw new SyntaxError(`Cannot decode "${path}": ${image.warning}`);
    return wholePicture(image);
  }

  [Symbol.dispose](): void {
    this.#native?.[Symbol.dispose]();
  }
}

function wholePicture(image: Image): OpenedPicture {
  const { width, height } = image;
  return {
    width,
    height,
    decode: () => {},
    render: (look, into) => into.set(renderLook(image, look).data),
  };
}

/** Whether the marker of a JPEG's end is missing. */
function endsEarly(bytes: Uint8Array): boolean {
  const first = Math.max(2, bytes.length - TRAILER_BYTES);
  for (let at = bytes.length - 2; at >= first; at--) {
    if (bytes[at] === 0xff && bytes[at + 1] === 0xd9) return false;
  }
  return true;
}

function named<T>(path: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SyntaxError(`Cannot decode "${path}": ${reason}`, { cause });
  }
}
