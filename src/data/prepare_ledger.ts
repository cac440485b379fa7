/** The books of a preparation: what was counted, refused, quarantined, and annotated. */
import { join } from "@std/path";
import { type AnnotationTable, AnnotationTableBuilder } from "./annotation_table.ts";
import { compareCodePoints, writeAnnotations } from "./annotations.ts";
import type { CropJobResult } from "./crop_job.ts";
import { type CropPlan, faultOf } from "./crop_plan.ts";
import type { Track } from "./track.ts";
import { writeWhole } from "./whole_file.ts";

/** What became of the boxes: `boxes` is the sum of the others once all is done. */
export interface PrepareCounts {
  boxes: number;
  /** Crops written by this run. */
  written: number;
  /** Whole crops that an earlier run left. */
  existing: number;
  /** Boxes that give no crop, by reason. */
  refused: Record<string, number>;
  /** Boxes whose frame is missing or damaged. */
  quarantined: number;
}

/** A box whose frame is missing or damaged. */
export interface QuarantineEntry {
  readonly video: string;
  readonly track: string;
  readonly frame: number;
  readonly reason: string;
}

/** How far `prepare()` is. */
export interface PrepareReport {
  readonly kind: "progress" | "done";
  readonly plan: CropPlan;
  readonly counts: Readonly<PrepareCounts>;
  readonly elapsedSeconds: number;
  /** Boxes a second. */
  readonly rate: number;
  readonly etaSeconds: number;
  /** The newest entries; all of them in the last report. */
  readonly quarantine: readonly QuarantineEntry[];
}

interface TrackEntry {
  readonly video: string;
  readonly id: string;
  readonly split: "train" | "val";
  readonly frames: number[];
  readonly boxes: number[];
}

/** Keeps the books: what was counted, refused, quarantined, and what the annotations will say. */
export class Ledger {
  readonly #started = performance.now();
  readonly #plan: CropPlan;
  readonly #valEvery: number;
  readonly #tracks = new Map<number, TrackEntry>();
  readonly #names = new Set<string>();
  readonly #videos = new Map<string, number>();
  readonly #quarantine: QuarantineEntry[] = [];
  readonly #counts: PrepareCounts = {
    boxes: 0,
    written: 0,
    existing: 0,
    refused: {},
    quarantined: 0,
  };
  #reported = 0;

  constructor(plan: CropPlan, valEvery: number) {
    this.#plan = plan;
    this.#valEvery = valEvery;
  }

  /** Opens the entry of a track; false if it cannot be prepared. */
  admit(track: Track, number: number): boolean {
    const { video, id } = track;
    const name = JSON.stringify([video, id]);
    const fault = faultOf(track) ??
      (this.#names.has(name) ? "the track stands there twice" : undefined);
    if (fault !== undefined) {
      this.#counts.boxes += track.frames.length;
      for (const { number: frame } of track.frames) {
        this.#isolate({ video, track: id, frame, reason: fault });
      }
      return false;
    }
    this.#names.add(name);
    if (!this.#videos.has(video)) this.#videos.set(video, this.#videos.size);
    const split = this.#splitOf(track);
    this.#tracks.set(number, { video, id, split, frames: [], boxes: [] });
    return true;
  }

  #splitOf({ video, split = "train" }: Track): "train" | "val" {
    if (this.#valEvery === 0) return split;
    return (this.#videos.get(video)! + 1) % this.#valEvery === 0 ? "val" : "train";
  }

  enter({ video, items, outcomes }: CropJobResult): void {
    this.#counts.boxes += items.length;
    items.forEach(({ track, trackId, frame, box }, i) => {
      const outcome = outcomes[i];
      if (outcome.kind === "quarantined") {
        this.#isolate({ video, track: trackId, frame, reason: outcome.reason });
      } else if (outcome.kind === "refused") {
        const { refused } = this.#counts;
        refused[outcome.reason] = (refused[outcome.reason] ?? 0) + 1;
      } else {
        this.#counts[outcome.kind]++;
        const { frames, boxes } = this.#tracks.get(track)!;
        frames.push(frame);
        boxes.push(box!.x1, box!.y1, box!.x2, box!.y2);
      }
    });
  }

  #isolate(entry: QuarantineEntry): void {
    this.#counts.quarantined++;
    this.#quarantine.push(entry);
  }

  report(kind: PrepareReport["kind"]): PrepareReport {
    const elapsedSeconds = (performance.now() - this.#started) / 1000;
    const rate = this.#counts.boxes / elapsedSeconds;
    const quarantine = this.#quarantine.slice(kind === "done" ? 0 : this.#reported);
    this.#reported = this.#quarantine.length;
    return {
      kind,
      plan: this.#plan,
      counts: structuredClone(this.#counts),
      elapsedSeconds,
      rate,
      etaSeconds: rate > 0 ? (this.#plan.boxes - this.#counts.boxes) / rate : Infinity,
      quarantine,
    };
  }

  /** Writes train.json, val.json and quarantine.json; nothing in them depends on who was faster. */
  async write(out: string): Promise<void> {
    for (const split of ["train", "val"] as const) {
      const tracks = [...this.#tracks.values()].filter((track) => track.split === split);
      await writeAnnotations(join(out, `${split}.json`), toTable(tracks));
    }
    this.#quarantine.sort((a, b) =>
      compareCodePoints(a.video, b.video) || compareCodePoints(a.track, b.track) ||
      a.frame - b.frame
    );
    const text = JSON.stringify(this.#quarantine, null, 2) + "\n";
    await writeWhole(join(out, "quarantine.json"), [text]);
  }
}

function toTable(tracks: readonly TrackEntry[]): AnnotationTable {
  const builder = new AnnotationTableBuilder();
  const byVideo = Map.groupBy(tracks, (track) => track.video);
  for (const [video, ofVideo] of byVideo) {
    builder.startVideo(video);
    for (const { id, frames, boxes } of ofVideo) {
      builder.startTrack(id);
      frames.forEach((frame, i) => {
        const [x1, y1, x2, y2] = boxes.slice(4 * i, 4 * i + 4);
        builder.add(frame, { x1, y1, x2, y2 });
      });
    }
  }
  return builder.build();
}
