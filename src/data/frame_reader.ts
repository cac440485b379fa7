import { readImage } from "../image/decode.ts";
import type { Image } from "../image/image.ts";
import { readVideo } from "../image/video.ts";
import { SyntheticVideo, type SyntheticVideoOptions } from "./synthetic/video.ts";
import type { FrameSource } from "./track.ts";

/**
 * Fetches the pixels of frames, of whatever source. It keeps what the next frame is likely to need:
 * the last picture, the drawn video, the place in a video file. So ask for frames in order.
 */
export class FrameReader implements AsyncDisposable {
  #last?: { source: FrameSource; image: Image };
  #drawn?: { options: SyntheticVideoOptions; video: SyntheticVideo };
  #film?: { path: string; next: number; frames: AsyncGenerator<Image> };

  /**
   * The pixels of a frame.
   *
   * @param options.overlook Takes a file that ends early with what it has; what is missing is gray.
   * @throws {Error} If the frame is not there or is damaged; the message names the file.
   */
  async read(source: FrameSource, { overlook = false } = {}): Promise<Image> {
    if (this.#last && isSame(this.#last.source, source)) return this.#last.image;
    this.#last = undefined;
    const image = await this.#fetch(source, overlook);
    this.#last = { source, image };
    return image;
  }

  #fetch(source: FrameSource, overlook: boolean): Image | Promise<Image> {
    switch (source.kind) {
      case "file":
        return overlook ? readImage(source.path) : readWholeImage(source.path);
      case "synthetic":
        return this.#draw(source.video, source.index);
      case "video":
        return this.#windTo(source.path, source.index);
    }
  }

  #draw(options: SyntheticVideoOptions, index: number): Image {
    if (JSON.stringify(this.#drawn?.options) !== JSON.stringify(options)) {
      this.#drawn = { options, video: new SyntheticVideo(options) };
    }
    return this.#drawn!.video.frame(index);
  }

  async #windTo(path: string, index: number): Promise<Image> {
    if (this.#film?.path !== path || this.#film.next > index) {
      await this[Symbol.asyncDispose]();
      this.#film = { path, next: 0, frames: readVideo(path) };
    }
    const film = this.#film;
    for (; film.next <= index; film.next++) {
      const { value, done } = await film.frames.next();
      if (done) {
        throw new RangeError(
          `Cannot read frame ${index} of "${path}": it has ${film.next} frames, counted from 0`,
        );
      }
      if (film.next === index) {
        film.next++;
        return value;
      }
    }
    throw new Error(`Cannot read frame ${index} of "${path}"`);
  }

  /** Stops a decoder that is still running. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#film?.frames.return(undefined);
    this.#film = undefined;
  }
}

/** A picture without a warning: a file that ends early would be half gray. */
async function readWholeImage(path: string): Promise<Image> {
  const { warning, ...image } = await readImage(path);
  if (warning !== undefined) throw new SyntaxError(`Cannot decode "${path}": ${warning}`);
  return image;
}

function isSame(a: FrameSource, b: FrameSource): boolean {
  if (a.kind === "file") return b.kind === "file" && a.path === b.path;
  return JSON.stringify(a) === JSON.stringify(b);
}
