import { extname } from "@std/path";
import { ltwhToCorner } from "../geometry/boxes.ts";
import { contactSheet, drawBoxes, drawText } from "../image/draw.ts";
import { encodeGif, encodePng } from "../image/encode.ts";
import type { Color, Image } from "../image/image.ts";
import { resizeBilinear } from "../image/resize.ts";
import { openVideoWriter, type VideoWriter } from "../image/video_writer.ts";
import type { Tracked, TrackedFrame } from "../tracking/tracker.ts";
import { writeFileAtomically } from "../weights/atomic_file.ts";
import { EvenSample } from "./even_sample.ts";

/** Files to write; each is left out where it has no name. */
export interface RecorderOptions {
  /** Boxes: JSON, or by any other ending a line of `left,top,width,height` a frame. */
  readonly boxes?: string;
  /** Video with boxes drawn; its ending chooses the form. */
  readonly video?: string;
  /** Moving picture of at most some hundred frames. */
  readonly gif?: string;
  /** Some frames side by side. */
  readonly png?: string;
  /** Of the source, for the video and the moving picture; 25. */
  readonly framesPerSecond?: number;
}

const BOX_COLOR: Color = [60, 220, 60];
const GIF_FRAMES = 100, GIF_WIDTH = 480;
const SHEET_FRAMES = 12, SHEET_COLUMNS = 4;

/** Writes down what a tracker does, while it does it; memory does not grow with the frames. */
export class TrackRecorder implements AsyncDisposable {
  readonly #options: RecorderOptions;
  readonly #tracked: Tracked[] = [];
  readonly #moving = new EvenSample<Image>(GIF_FRAMES);
  readonly #sheet = new EvenSample<Image>(SHEET_FRAMES);
  #video?: VideoWriter;

  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** Takes the next frame. */
  async write({ frame, box, score }: Pick<TrackedFrame, "frame" | "box" | "score">): Promise<void> {
    const { boxes, video, gif, png, framesPerSecond = 25 } = this.#options;
    const index = this.#tracked.length;
    this.#tracked.push({ box, score });
    if (!video && !gif && !png) {
      if (!boxes) this.#tracked.length = 0;
      return;
    }
    const picture = drawTracked(frame, { box, score, index });
    if (gif) this.#moving.offer(() => narrow(picture, GIF_WIDTH));
    if (png) this.#sheet.offer(() => picture);
    if (!video) return;
    this.#video ??= openVideoWriter(video, { ...frame, framesPerSecond });
    await this.#video.write(picture);
  }

  /**
   * Ends all files.
   *
   * @returns Their names.
   * @throws {Error} If one cannot be written.
   */
  async close(): Promise<string[]> {
    const { boxes, video, gif, png, framesPerSecond = 25 } = this.#options;
    if (boxes) await writeText(boxes, formatBoxes(this.#tracked, boxes));
    await this.#video?.close();
    if (gif && this.#moving.items.length > 0) {
      const delay = Math.max(20, Math.round(100 * this.#moving.every / framesPerSecond) * 10);
      await writeFileAtomically(gif, [await encodeGif(this.#moving.items, delay)]);
    }
    if (png && this.#sheet.items.length > 0) {
      const sheet = contactSheet(this.#sheet.items, { columns: SHEET_COLUMNS });
      await writeFileAtomically(png, [await encodePng(sheet)]);
    }
    return [boxes, video, gif, png].filter((file) => file !== undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#video?.[Symbol.asyncDispose]();
  }
}

/** A frame with its box and a line of figures. */
export function drawTracked(
  frame: Image,
  { box, score, index }: Tracked & { readonly index: number },
): Image {
  const marked = drawBoxes(frame, [{ box: ltwhToCorner(box), color: BOX_COLOR, lineWidth: 3 }]);
  return drawText(marked, `frame ${index}  score ${score.toFixed(3)}`, { scale: 2 });
}

function narrow(image: Image, width: number): Image {
  if (image.width <= width) return image;
  return resizeBilinear(image, width, Math.round(image.height * width / image.width));
}

function formatBoxes(tracked: readonly Tracked[], path: string): string {
  if (extname(path).toLowerCase() !== ".json") {
    return tracked.map(({ box: { x, y, w, h } }) => `${[x, y, w, h].join()}\n`).join("");
  }
  const frames = tracked.map(({ box: { x, y, w, h }, score }, index) => ({
    index,
    box: [x, y, w, h],
    score,
  }));
  return JSON.stringify({ form: "left, top, width, height; pixels from 0", frames }) + "\n";
}

async function writeText(path: string, text: string): Promise<void> {
  await writeFileAtomically(path, [new TextEncoder().encode(text)]);
}
