/**
 * The boxes of a prepared set in columns: some 36 bytes a box and no objects, in shared memory, so
 * that worker threads read one copy.
 *
 * @module
 */
import type { Corner } from "../geometry/boxes.ts";
import { NameColumn, type NameColumnData } from "./name_column.ts";
import { sharedCopy } from "./shared_array.ts";

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
  /** `x1, y1, x2, y2` of each box in pixels of the original frame, `[N, 4]`. */
  readonly boxes: Float64Array;
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

/** Collects annotations track by track; memory grows by doubling. */
export class AnnotationTableBuilder {
  readonly #videos: string[] = [];
  readonly #trackNames = new Map<string, number>();
  readonly #trackStart: number[] = [0];
  readonly #trackName: number[] = [];
  readonly #boxStart: number[] = [0];
  #frames = new Int32Array(1024);
  #boxes = new Float64Array(4 * 1024);
  #count = 0;

  /** Opens a video; the tracks that follow are its own. */
  startVideo(name: string): void {
    this.#videos.push(name);
    this.#trackStart.push(this.#trackName.length);
  }

  /** Opens a track of the current video; the boxes that follow are its own. */
  startTrack(name: string): void {
    this.#sortTrack();
    let index = this.#trackNames.get(name);
    if (index === undefined) this.#trackNames.set(name, index = this.#trackNames.size);
    this.#trackName.push(index);
    this.#boxStart.push(this.#count);
    this.#trackStart[this.#trackStart.length - 1] = this.#trackName.length;
  }

  /** Adds a box to the current track. */
  add(frame: number, { x1, y1, x2, y2 }: Corner): void {
    if (this.#count === this.#frames.length) this.#grow();
    this.#frames[this.#count] = frame;
    const at = 4 * this.#count;
    this.#boxes[at] = x1;
    this.#boxes[at + 1] = y1;
    this.#boxes[at + 2] = x2;
    this.#boxes[at + 3] = y2;
    this.#count++;
    this.#boxStart[this.#boxStart.length - 1] = this.#count;
  }

  /** Takes back the current track if it holds no box, the current video if it holds no track. */
  dropEmpty(level: "track" | "video"): void {
    if (level === "track" && this.#currentLength() === 0) {
      this.#trackName.pop();
      this.#boxStart.pop();
      this.#trackStart[this.#trackStart.length - 1] = this.#trackName.length;
    }
    if (level === "video" && this.#trackStart.at(-1) === this.#trackStart.at(-2)) {
      this.#videos.pop();
      this.#trackStart.pop();
    }
  }

  /**
   * The finished table.
   *
   * @throws {RangeError} If a track names a frame twice.
   */
  build(): AnnotationTable {
    this.#sortTrack();
    return new AnnotationTable({
      videos: NameColumn.from(this.#videos).data,
      trackNames: NameColumn.from([...this.#trackNames.keys()]).data,
      trackStart: sharedCopy(Uint32Array, this.#trackStart),
      trackName: sharedCopy(Uint32Array, this.#trackName),
      boxStart: sharedCopy(Uint32Array, this.#boxStart),
      frames: sharedCopy(Int32Array, this.#frames.subarray(0, this.#count)),
      boxes: sharedCopy(Float64Array, this.#boxes.subarray(0, 4 * this.#count)),
    });
  }

  #currentLength(): number {
    return this.#trackName.length === 0 ? 0 : this.#count - this.#boxStart.at(-2)!;
  }

  #grow(): void {
    const frames = new Int32Array(2 * this.#frames.length);
    frames.set(this.#frames);
    this.#frames = frames;
    const boxes = new Float64Array(2 * this.#boxes.length);
    boxes.set(this.#boxes);
    this.#boxes = boxes;
  }

  /** Brings the current track's boxes into the order of their frames. */
  #sortTrack(): void {
    const start = this.#count - this.#currentLength();
    const frames = this.#frames.subarray(start, this.#count);
    if (!frames.every((frame, i) => i === 0 || frames[i - 1] < frame)) {
      const boxes = this.#boxes.subarray(4 * start, 4 * this.#count);
      const order = Uint32Array.from(frames, (_, i) => i).sort((a, b) => frames[a] - frames[b]);
      const sortedBoxes = Float64Array.from(boxes, (_, i) => boxes[4 * order[i >> 2] + (i & 3)]);
      frames.set(Int32Array.from(order, (i) => frames[i]));
      boxes.set(sortedBoxes);
    }
    const twice = frames.find((frame, i) => i > 0 && frames[i - 1] === frame);
    if (twice === undefined) return;
    const track = [...this.#trackNames.keys()][this.#trackName.at(-1)!];
    throw new RangeError(
      `Cannot build annotations: video "${
        this.#videos.at(-1)
      }" track "${track}" holds frame ${twice} twice`,
    );
  }
}
