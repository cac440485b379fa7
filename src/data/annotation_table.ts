/**
 * The boxes of a prepared set in columns: 20 or 36 bytes a box and no objects, in shared memory, so
 * that worker threads read one copy.
 *
 * @module
 */
import type { Corner } from "../geometry/boxes.ts";
import { GrowingColumn } from "./growing_column.ts";
import { NameColumn, NameColumnBuilder, type NameColumnData } from "./name_column.ts";
import { sharedArray } from "./shared_array.ts";

/** The columns of an {@linkcode AnnotationTable}: plain data that a worker receives uncopied. */
export interface AnnotationColumns {
  readonly videos: NameColumnData;
  /** Distinct track names. */
  readonly trackNames: NameColumnData;
  /** First track of each video, then the number of tracks, `[V + 1]`. */
  readonly trackStart: Uint32Array;
  /** Entry of `trackNames` of each track, `[T]`. */
  readonly trackName: Uint32Array;
  /** First box of each track, then the number of boxes, `[T + 1]`. */
  readonly boxStart: Uint32Array;
  /** Frame number of each box, ascending within a track, `[N]`. */
  readonly frames: Int32Array;
  /**
   * `x1, y1, x2, y2` of each box in pixels of the original frame, `[N, 4]`; single precision only
   * where it holds every number exactly.
   */
  readonly boxes: Float64Array | Float32Array;
}

/** A half-open range of indexes. */
export interface IndexRange {
  readonly start: number;
  readonly end: number;
}

/** Videos, their tracks, their boxes, each numbered through from 0. */
export class AnnotationTable {
  readonly columns: AnnotationColumns;
  readonly #videos: NameColumn;
  readonly #trackNames: NameColumn;

  constructor(columns: AnnotationColumns) {
    this.columns = columns;
    this.#videos = new NameColumn(columns.videos);
    this.#trackNames = new NameColumn(columns.trackNames);
  }

  get videoCount(): number {
    return this.#videos.length;
  }

  get trackCount(): number {
    return this.columns.trackName.length;
  }

  get boxCount(): number {
    return this.columns.frames.length;
  }

  videoName(video: number): string {
    return this.#videos.at(video);
  }

  trackName(track: number): string {
    return this.#trackNames.at(this.columns.trackName[track]);
  }

  /** The tracks of a video. */
  tracksOf(video: number): IndexRange {
    const { trackStart } = this.columns;
    return { start: trackStart[video], end: trackStart[video + 1] };
  }

  /** The boxes of a track, by ascending frame. */
  boxesOf(track: number): IndexRange {
    const { boxStart } = this.columns;
    return { start: boxStart[track], end: boxStart[track + 1] };
  }

  /** Frame number of a box. */
  frame(box: number): number {
    return this.columns.frames[box];
  }

  /** A box in pixels of the original frame. */
  box(box: number): Corner {
    const { boxes } = this.columns, i = 4 * box;
    return { x1: boxes[i], y1: boxes[i + 1], x2: boxes[i + 2], y2: boxes[i + 3] };
  }
}

/** Takes the boxes of a table, track after track; what it is given, it copies. */
export interface BoxSink {
  /** Boxes in their final order: `[n]` frames and `[n, 4]` corners. */
  add(frames: Int32Array, boxes: Float64Array): void;
}

/** The columns of a table but for its boxes. */
export type AnnotationOutline = Omit<AnnotationColumns, "frames" | "boxes">;

/** Collects annotations track by track; holds the boxes of one track, the sink has the others. */
export class AnnotationCollector {
  readonly #sink: BoxSink;
  readonly #videos = new NameColumnBuilder();
  readonly #trackNames = new Map<string, number>();
  readonly #trackStart = new GrowingColumn(0);
  readonly #trackName = new GrowingColumn();
  readonly #boxStart = new GrowingColumn(0);
  /** Of the current track. */
  #frames = new Int32Array(1024);
  #boxes = new Float64Array(4 * 1024);
  #length = 0;

  constructor(sink: BoxSink) {
    this.#sink = sink;
  }

  /** Opens a video; the tracks that follow are its own. */
  startVideo(name: string): void {
    this.endTrack();
    this.#videos.push(name);
    this.#trackStart.push(this.#trackName.length);
  }

  /** Opens a track of the current video; the boxes that follow are its own. */
  startTrack(name: string): void {
    this.endTrack();
    let index = this.#trackNames.get(name);
    if (index === undefined) this.#trackNames.set(name, index = this.#trackNames.size);
    this.#trackName.push(index);
    this.#boxStart.push(this.#boxStart.at(-1));
    this.#trackStart.setLast(this.#trackName.length);
  }

  /** Adds a box to the current track. */
  add(frame: number, { x1, y1, x2, y2 }: Corner): void {
    this.addNumbers(frame, x1, y1, x2, y2);
  }

  /** {@linkcode add} without an object a box. */
  addNumbers(frame: number, x1: number, y1: number, x2: number, y2: number): void {
    if (this.#length === this.#frames.length) this.#grow();
    this.#frames[this.#length] = frame;
    const at = 4 * this.#length++;
    this.#boxes[at] = x1;
    this.#boxes[at + 1] = y1;
    this.#boxes[at + 2] = x2;
    this.#boxes[at + 3] = y2;
  }

  /** Takes back the current track if it holds no box, the current video if it holds no track. */
  dropEmpty(level: "track" | "video"): void {
    if (level === "track" && this.#length === 0 && this.#trackName.length > 0) {
      this.#trackName.pop();
      this.#boxStart.pop();
      this.#trackStart.setLast(this.#trackName.length);
    }
    if (level === "video" && this.#trackStart.at(-1) === this.#trackStart.at(-2)) {
      this.#videos.pop();
      this.#trackStart.pop();
    }
  }

  /**
   * Hands the last track to the sink.
   *
   * @returns What the sink does not have.
   * @throws {RangeError} If a track names a frame twice.
   */
  finish(): AnnotationOutline {
    this.endTrack();
    const trackNames = new NameColumnBuilder();
    for (const name of this.#trackNames.keys()) trackNames.push(name);
    return {
      videos: this.#videos.build(),
      trackNames: trackNames.build(),
      trackStart: this.#trackStart.toShared(),
      trackName: this.#trackName.toShared(),
      boxStart: this.#boxStart.toShared(),
    };
  }

  #grow(): void {
    const frames = new Int32Array(2 * this.#frames.length);
    frames.set(this.#frames);
    this.#frames = frames;
    const boxes = new Float64Array(2 * this.#boxes.length);
    boxes.set(this.#boxes);
    this.#boxes = boxes;
  }

  /**
   * Hands the current track to the sink.
   *
   * @throws {RangeError} If it names a frame twice.
   */
  endTrack(): void {
    if (this.#length === 0) return;
    const frames = this.#frames.subarray(0, this.#length);
    const boxes = this.#boxes.subarray(0, 4 * this.#length);
    if (!ascends(frames)) sortByFrame(frames, boxes);
    if (!ascends(frames)) this.#refuseTwice(frames);
    this.#sink.add(frames, boxes);
    this.#boxStart.setLast(this.#boxStart.at(-1) + this.#length);
    this.#length = 0;
  }

  #refuseTwice(frames: Int32Array): never {
    const twice = frames.find((frame, i) => i > 0 && frames[i - 1] === frame);
    const track = [...this.#trackNames.keys()][this.#trackName.at(-1)];
    throw new RangeError(
      `Cannot build annotations: video "${this.#videos.last()}" track "${track}" holds frame ${twice} twice`,
    );
  }
}

function ascends(frames: Int32Array): boolean {
  for (let i = 1; i < frames.length; i++) if (frames[i - 1] >= frames[i]) return false;
  return true;
}

function sortByFrame(frames: Int32Array, boxes: Float64Array): void {
  const order = Uint32Array.from(frames, (_, i) => i).sort((a, b) => frames[a] - frames[b]);
  const sortedBoxes = Float64Array.from(boxes, (_, i) => boxes[4 * order[i >> 2] + (i & 3)]);
  frames.set(Int32Array.from(order, (i) => frames[i]));
  boxes.set(sortedBoxes);
}

/** Collects annotations into a table in memory. */
export class AnnotationTableBuilder extends AnnotationCollector {
  readonly #pieces: { frames: Int32Array; boxes: Float64Array }[];

  constructor() {
    const pieces: { frames: Int32Array; boxes: Float64Array }[] = [];
    super({
      add: (frames, boxes) => pieces.push({ frames: frames.slice(), boxes: boxes.slice() }),
    });
    this.#pieces = pieces;
  }

  /**
   * The finished table.
   *
   * @throws {RangeError} If a track names a frame twice.
   */
  build(): AnnotationTable {
    const outline = this.finish();
    const count = outline.boxStart[outline.boxStart.length - 1];
    const frames = sharedArray(Int32Array, count), boxes = sharedArray(Float64Array, 4 * count);
    let at = 0;
    for (const piece of this.#pieces) {
      frames.set(piece.frames, at);
      boxes.set(piece.boxes, 4 * at);
      at += piece.frames.length;
    }
    return new AnnotationTable({ ...outline, frames, boxes });
  }
}
