import { dirname, join } from "@std/path";
import { hasArea } from "./annotations.ts";
import { type CropSettings, cropTarget, encodeCrop } from "./cropper.ts";
import type { Corner } from "../geometry/boxes.ts";
import { FrameReader } from "./frame_reader.ts";
import { type Image, meanColor } from "../image/image.ts";
import { cropPath } from "./sub_dataset.ts";
import type { BoxRule, FrameSource } from "./track.ts";
import { writeWhole } from "./whole_file.ts";

/** One box of one frame. */
export interface CropItem {
  /** Number of the track in the run. */
  readonly track: number;
  readonly trackId: string;
  readonly frame: number;
  readonly image: FrameSource;
  readonly box: Corner | null;
  readonly boxRule: BoxRule;
}

/** Some frames of one video, in order: what a worker does at once. Plain data. */
export interface CropJob {
  /** Folder of the crops. */
  readonly root: string;
  readonly video: string;
  readonly items: readonly CropItem[];
  readonly settings: CropSettings;
  /** Whether template crops are written beside the search crops. */
  readonly templateCrops: boolean;
}

/** What became of a box. */
export type CropOutcome =
  | { readonly kind: "written" | "existing" }
  /** The annotation gives nothing to crop. */
  | { readonly kind: "refused"; readonly reason: string }
  /** The frame should give a crop and cannot. */
  | { readonly kind: "quarantined"; readonly reason: string };

/** What became of the boxes of a job, in its order. */
export interface CropJobResult {
  readonly video: string;
  readonly items: readonly CropItem[];
  readonly outcomes: readonly CropOutcome[];
}

/** Does jobs; keeps its place in a video from one job to the next. */
export class CropRunner implements AsyncDisposable {
  readonly #frames = new FrameReader();

  /** @throws {Error} If a crop cannot be written, as on a full disk. A bad frame is an outcome. */
  async run(job: CropJob): Promise<CropJobResult> {
    const outcomes: CropOutcome[] = [];
    for (const item of job.items) outcomes.push(await this.#crop(job, item));
    return { video: job.video, items: job.items, outcomes };
  }

  async #crop(job: CropJob, item: CropItem): Promise<CropOutcome> {
    const { box } = item;
    if (!box) return { kind: "refused", reason: "the target is not given" };
    if (!hasArea(box)) return { kind: "refused", reason: "the box has no area" };
    const name = { video: job.video, track: item.trackId, frame: item.frame };
    const path = join(job.root, cropPath(name));
    const template = job.templateCrops ? join(job.root, cropPath(name, "z")) : undefined;
    if (await isWholeJpeg(path) && (!template || await isWholeJpeg(template))) {
      return { kind: "existing" };
    }
    let frame: Image;
    try {
      frame = await this.#frames.read(item.image);
    } catch (error) {
      return {
        kind: "quarantined",
        reason: error instanceof Error ? error.message : String(error),
      };
    }
    if (item.boxRule === "inside" && !isInside(box, frame)) {
      return { kind: "refused", reason: "the box is not inside the picture" };
    }
    await Deno.mkdir(dirname(path), { recursive: true });
    const options = { ...job.settings, border: meanColor(frame) };
    if (template) {
      const crop = cropTarget(frame, box, { ...options, kind: "template" });
      await writeCrop(template, await encodeCrop(crop, job.settings.quality));
    }
    await writeCrop(path, await encodeCrop(cropTarget(frame, box, options), job.settings.quality));
    return { kind: "written" };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#frames[Symbol.asyncDispose]();
  }
}

// No sync: crops are many and a lost one is cut again; isWholeJpeg() sees an empty or short file.
function writeCrop(path: string, jpeg: Uint8Array): Promise<void> {
  return writeWhole(path, jpeg, { sync: false });
}

/** Parity: sides may touch the picture's, which counts from 0 to width (got_10k/gen_json.py). */
function isInside({ x1, y1, x2, y2 }: Corner, { width, height }: Image): boolean {
  return x1 >= 0 && y1 >= 0 && x2 <= width && y2 <= height;
}

/** Whether a file is there, begins as a JPEG and has its end marker. */
export async function isWholeJpeg(path: string): Promise<boolean> {
  try {
    using file = await Deno.open(path);
    const bytes = new Uint8Array(4);
    await file.read(bytes.subarray(0, 2));
    await file.seek(-2, Deno.SeekMode.End);
    await file.read(bytes.subarray(2));
    return bytes.join() === "255,216,255,217"; // SOI, EOI
  } catch {
    return false;
  }
}
