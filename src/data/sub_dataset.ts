import { type AnnotationColumns, AnnotationTable, type IndexRange } from "./annotation_table.ts";
import { formatFrame } from "./annotations.ts";
import { openAnnotations } from "./open_annotations.ts";
import { type CropStoreData, openCropStore } from "./crop_store.ts";
import type { Corner } from "../geometry/boxes.ts";
import { Permutation } from "./permutation.ts";
import type { Rng } from "../random.ts";

/** One prepared set: where it lies and how much of it a run uses. */
export interface SubDatasetOptions {
  /** Name, such as `VID`. */
  readonly name: string;
  /** Folder of the crops, `crop511`. */
  readonly root: string;
  /** Annotation file. */
  readonly anno: string;
  /** Farthest distance, in annotated frames, between the two frames of a pair. */
  readonly frameRange: number;
  /** Videos picked in a pass: fewer or more than there are; -1 takes each once. */
  readonly numUse: number;
}

/** One annotated frame of a prepared set. */
export interface Crop {
  readonly dataset: string;
  readonly video: string;
  readonly track: string;
  readonly frame: number;
  /** Name of the 511 x 511 picture around the target, in the set's crop store. */
  readonly name: string;
  /** The same with the store's folder; where crops are packed it is no file. */
  readonly path: string;
  /** The target in pixels of the original frame. */
  readonly box: Corner;
}

/** What a worker needs to have the same set; plain data, the columns uncopied. */
export interface SubDatasetData {
  readonly options: SubDatasetOptions;
  readonly columns: AnnotationColumns;
  /** Where the crops lie; files in `root` if it is left out. */
  readonly crops?: CropStoreData;
}

/** The videos of one prepared set and how pairs are drawn from them (`SubDataset`). */
export class SubDataset {
  readonly options: SubDatasetOptions;
  readonly table: AnnotationTable;
  readonly crops: CropStoreData;

  /** @throws {RangeError} If there is nothing to draw from. */
  constructor({ options, columns, crops }: SubDatasetData) {
    this.options = options;
    this.crops = crops ?? { root: options.root };
    this.table = new AnnotationTable(columns);
    if (this.table.videoCount === 0) {
      throw new RangeError(
        `Cannot use dataset ${options.name}: "${options.anno}" holds no box with an area`,
      );
    }
  }

  /**
   * Reads the annotation file.
   *
   * @throws {Error} If it cannot be read; the cause says why.
   * @throws {RangeError} If it holds no box.
   */
  static open(options: SubDatasetOptions): SubDataset {
    let columns: AnnotationColumns;
    try {
      columns = openAnnotations(options.anno).table.columns;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new Error(
        `Cannot open dataset ${options.name}: ${reason}, expected the annotations that "deno task prep-data" writes`,
        { cause },
      );
    }
    return new SubDataset({ options, columns, crops: openCropStore(options.root) });
  }

  get data(): SubDatasetData {
    return { options: this.options, columns: this.table.columns, crops: this.crops };
  }

  /** Videos in the set. */
  get videoCount(): number {
    return this.table.videoCount;
  }

  /** Videos picked in a pass. */
  get useCount(): number {
    return this.options.numUse === -1 ? this.videoCount : this.options.numUse;
  }

  /**
   * The video picked at a position of 0..useCount - 1. The picks are shuffles of all videos, one
   * after the other, the last one cut off; like the published list they are the same in every pass.
   *
   * @param rng A generator of its own for this set; it is forked, not drawn from.
   */
  pickAt(position: number, rng: Rng): number {
    const shuffle = Math.floor(position / this.videoCount);
    return new Permutation(this.videoCount, rng.fork(shuffle)).at(position % this.videoCount);
  }

  /** Two frames of one track of a video, at most `frameRange` annotated frames apart. */
  positivePair(video: number, rng: Rng): [template: Crop, search: Crop] {
    const track = drawIndex(this.table.tracksOf(video), rng);
    const boxes = this.table.boxesOf(track);
    const template = drawIndex(boxes, rng);
    const search = drawIndex(searchWindow(boxes, template, this.options.frameRange), rng);
    return [this.crop(video, track, template), this.crop(video, track, search)];
  }

  /** Any frame of any track, of a given video or of any. */
  randomTarget(rng: Rng, video: number = rng.integer(this.videoCount)): Crop {
    const track = drawIndex(this.table.tracksOf(video), rng);
    return this.crop(video, track, drawIndex(this.table.boxesOf(track), rng));
  }

  /** An annotated frame by its indexes in the table (`get_image_anno`). */
  crop(video: number, track: number, box: number): Crop {
    const { table, options } = this;
    const names = { video: table.videoName(video), track: table.trackName(track) };
    const frame = table.frame(box);
    const name = cropPath({ ...names, frame });
    return {
      dataset: options.name,
      ...names,
      frame,
      name,
      path: `${options.root}/${name}`,
      box: table.box(box),
    };
  }
}

/** Where a crop lies below `crop511`: `<video>/<frame>.<track>.x.jpg`; `z` is the template crop. */
export function cropPath(
  { video, track, frame }: { video: string; track: string; frame: number },
  kind: "x" | "z" = "x",
): string {
  return `${video}/${formatFrame(frame)}.${track}.${kind}.jpg`;
}

/** The boxes of a track that may be the search frame of a template (`get_positive_pair`). */
export function searchWindow(
  { start, end }: IndexRange,
  template: number,
  frameRange: number,
): IndexRange {
  return {
    start: Math.max(template - frameRange, start),
    end: Math.min(template + frameRange, end - 1) + 1,
  };
}

function drawIndex({ start, end }: IndexRange, rng: Rng): number {
  return start + rng.integer(end - start);
}
