import { createHash } from "node:crypto";
import { dirname, join } from "@std/path";
import { hasArea } from "./annotations.ts";
import { type CropSettings, cropTarget, encodeCrop } from "./cropper.ts";
import type { Corner } from "../geometry/boxes.ts";
import { FrameReader } from "./frame_reader.ts";
import { type Image, meanColor } from "../image/image.ts";
import { NativeCrops } from "../image/native_crops.ts";
import { cropPath } from "./sub_dataset.ts";
import type { BoxRule, BoxUnit, FrameSource } from "./track.ts";
import { writeWhole } from "./whole_file.ts";

/** One box of one frame. */
export interface CropItem {
  /** Where the books have it: video, frame, track. */
  readonly key: readonly [video: number, frame: number, track: number];
  readonly video: string;
  readonly track: string;
  readonly frame: number;
  readonly image: FrameSource;
  readonly box: Corner;
  readonly rule: BoxRule;
  readonly unit: BoxUnit;
  /** What it means if the frame is not there. */
  readonly missing: "report" | "refuse";
  /** What an earlier run has written. */
  readonly known?: {
    /** SHA-256 of the crop. */
    readonly hash: Uint8Array;
    /** Bytes of the crop; absent if the books only have the hash. */
    readonly size?: number;
    /** The box in pixels; absent if the books do not have it. */
    readonly box?: Corner;
  };
}

/** What a worker does at once. Plain data. */
export interface CropJob {
  /** Folder of the crops. */
  readonly root: string;
  readonly items: readonly CropItem[];
  readonly settings: CropSettings;
  /** Whether template crops are written beside the search crops. */
  readonly templateCrops: boolean;
  /** Whether the bytes are handed back instead of written. */
  readonly pack: boolean;
  /** Path of the native image library, if there is one. */
  readonly library?: string;
  /** As published: what follows a bad frame in the job is not cut. */
  readonly stopAtFault: boolean;
}

/** A whole crop. */
export interface CropFile {
  /** The box in pixels. */
  readonly box: Corner;
  /** Bytes. */
  readonly size: number;
  /** SHA-256. */
  readonly hash: Uint8Array;
  /** The JPEG files by what their names end with, where they are handed back. */
  readonly files?: { readonly x: Uint8Array<ArrayBuffer>; readonly z?: Uint8Array<ArrayBuffer> };
}

/** What became of a box. */
export type CropOutcome =
  | { readonly kind: "written" | "existing" } & CropFile
  /** The annotation gives nothing to crop. */
  | { readonly kind: "refused"; readonly reason: string }
  /** The frame should give a crop and cannot. */
  | { readonly kind: "quarantined"; readonly reason: string };

/** What became of the boxes of a job, in its order. */
export interface CropJobResult {
  readonly items: readonly CropItem[];
  readonly outcomes: readonly CropOutcome[];
}

/** Does jobs; keeps its place in a video from one job to the next. */
export class CropRunner implements AsyncDisposable {
  readonly #frames = new FrameReader();
  #folder = "";
  #native?: NativeCrops;

  /** @throws {Error} If a crop cannot be written, as on a full disk. A bad frame is an outcome. */
  async run(job: CropJob): Promise<CropJobResult> {
    const outcomes: CropOutcome[] = [];
    let stopped: string | undefined;
    for (const item of job.items) {
      const outcome = stopped === undefined
        ? await this.#crop(job, item)
        : { kind: "quarantined" as const, reason: stopped };
      outcomes.push(outcome);
      if (job.stopAtFault && outcome.kind === "quarantined") {
        stopped ??= `the published script stops at frame ${item.frame}, which it cannot read`;
      }
    }
    return { items: job.items, outcomes };
  }

  async #crop(job: CropJob, item: CropItem): Promise<CropOutcome> {
    const path = join(job.root, cropPath(item));
    const template = job.templateCrops ? join(job.root, cropPath(item, "z")) : undefined;
    const existing = job.pack ? undefined : await findExisting(item, path, template);
    if (existing) return existing;
    let frame: Image;
    try {
      // As published: a file that ends early is taken as far as it goes.
      frame = await this.#frames.read(item.image, { overlook: item.rule === "any" });
    } catch (error) {
      return describeBadFrame(item, error);
    }
    const box = item.unit === "picture" ? scaled(item.box, frame) : item.box;
    const reason = refusalOf(box, item.rule, frame);
    if (reason !== undefined) return { kind: "refused", reason };
    const native = this.#openNative(job.library);
    const options = {
      ...job.settings,
      border: native ? native.meanColor(frame) : meanColor(frame),
      anyBox: item.rule === "any",
      warp: native?.warpCrop.bind(native),
    };
    const { quality } = job.settings;
    const x = await encodeCrop(cropTarget(frame, box, options), quality);
    const z = template
      ? await encodeCrop(cropTarget(frame, box, { ...options, kind: "template" }), quality)
      : undefined;
    const crop = { box, size: x.length, hash: createHash("sha256").update(x).digest() };
    if (job.pack) return { kind: "written", ...crop, files: { x, z } };
    await this.#makeFolder(dirname(path));
    if (z) await writeCrop(template!, z);
    await writeCrop(path, x);
    return { kind: "written", ...crop };
  }

  #openNative(library: string | undefined): NativeCrops | undefined {
    if (library !== undefined) this.#native ??= new NativeCrops(library);
    return this.#native;
  }

  async #makeFolder(folder: string): Promise<void> {
    if (folder === this.#folder) return;
    await Deno.mkdir(folder, { recursive: true });
    this.#folder = folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#frames[Symbol.asyncDispose]();
  }
}

/** The crop of an earlier run, if it is there as the books have it. */
async function findExisting(
  { known, box, unit }: CropItem,
  path: string,
  template: string | undefined,
): Promise<CropOutcome | undefined> {
  const pixels = unit === "pixels" ? box : known?.box;
  if (!known || !pixels || template && !await isWholeJpeg(template)) return undefined;
  if (known.size !== undefined) {
    const isThere = await isWholeJpeg(path, known.size);
    return isThere
      ? { kind: "existing", box: pixels, size: known.size, hash: known.hash }
      : undefined;
  }
  const bytes = await Deno.readFile(path).catch(() => undefined);
  if (!bytes || createHash("sha256").update(bytes).digest().compare(known.hash) !== 0) {
    return undefined;
  }
  return { kind: "existing", box: pixels, size: bytes.length, hash: known.hash };
}

function describeBadFrame({ missing }: CropItem, error: unknown): CropOutcome {
  if (missing === "refuse" && error instanceof Deno.errors.NotFound) {
    return { kind: "refused", reason: "the frame is not there" };
  }
  const reason = error instanceof Error ? error.message : String(error);
  return { kind: "quarantined", reason };
}

function scaled({ x1, y1, x2, y2 }: Corner, { width, height }: Image): Corner {
  return { x1: x1 * width, y1: y1 * height, x2: x2 * width, y2: y2 * height };
}

function refusalOf(box: Corner, rule: BoxRule, { width, height }: Image): string | undefined {
  if (rule === "any") return undefined;
  const { x1, y1, x2, y2 } = box;
  if (!hasArea(box)) return "the box has no area";
  // Parity: sides may touch the picture's, which counts from 0 to width (got_10k/gen_json.py).
  if (rule === "inside" && !(x1 >= 0 && y1 >= 0 && x2 <= width && y2 <= height)) {
    return "the box is not inside the picture";
  }
  const outside = x2 <= 0 || y2 <= 0 || x1 >= width || y1 >= height;
  return outside ? "the box lies outside the picture" : undefined;
}

// No sync: crops are many and a lost one is cut again; isWholeJpeg() sees an empty or short file.
function writeCrop(path: string, jpeg: Uint8Array): Promise<void> {
  return writeWhole(path, jpeg, { sync: false });
}

/** Whether a file is there, has this size, begins as a JPEG and has its end marker. */
async function isWholeJpeg(path: string, size?: number): Promise<boolean> {
  try {
    using file = await Deno.open(path);
    if (size !== undefined && (await file.stat()).size !== size) return false;
    const bytes = new Uint8Array(4);
    await file.read(bytes.subarray(0, 2));
    await file.seek(-2, Deno.SeekMode.End);
    await file.read(bytes.subarray(2));
    return bytes.join() === "255,216,255,217"; // SOI, EOI
  } catch {
    return false;
  }
}
