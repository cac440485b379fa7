/** How far a preparation is: its counts and reports. */
import type { CropJobResult } from "./crop_job.ts";
import type { CropPlan } from "./crop_plan.ts";
import {
  type PrepareCounts,
  type QuarantineEntry,
  readCounts,
  sourceName,
} from "./prepare_books.ts";
import type { DoneCounts } from "./prepare_claim.ts";
import { readQuarantine } from "./prepare_results.ts";
import type { WorkFile } from "./work_file.ts";

/** How far a preparation is. */
export interface PrepareReport {
  /**
   * `waiting`: another process is at work in the folder; `reading`: the raw annotations are looked
   * through.
   */
  readonly kind: "waiting" | "reading" | "progress" | "done";
  readonly plan: Omit<CropPlan, "digest">;
  readonly counts: Readonly<PrepareCounts>;
  readonly elapsedSeconds: number;
  /** Boxes a second. */
  readonly rate: number;
  readonly etaSeconds: number;
  /** The newest entries; in the last report the first hundred of all. */
  readonly quarantine: readonly QuarantineEntry[];
  /** Bytes of the crops that are there; in the last report. */
  readonly bytes: number;
  /** Base names of the annotation files. */
  readonly annotations: readonly string[];
}

/** Entries of the quarantine report that the last report tells. */
const TOLD_ENTRIES = 100;

/** What a preparation has counted so far, for its reports. */
export class Tally {
  #started = performance.now();
  #plan: CropPlan = { videos: 0, tracks: 0, boxes: 0, digest: "" };
  #counts: PrepareCounts = {
    boxes: 0,
    written: 0,
    existing: 0,
    refused: {},
    quarantined: 0,
    faults: 0,
  };
  #done = 0; // boxes that this run has looked at
  #news: QuarantineEntry[] = [];
  #bytes = 0;
  /** Whether there is nothing to prepare. */
  isEmpty = false;
  readonly #annotations: readonly string[];

  constructor(annotations: readonly string[]) {
    this.#annotations = annotations;
  }

  get plan(): CropPlan {
    return this.#plan;
  }

  get counts(): PrepareCounts {
    return this.#counts;
  }

  get doneCounts(): DoneCounts {
    const { written, existing, refused, ...rest } = this.#counts;
    const sorted = Object.fromEntries(Object.entries(refused).sort());
    return { ...rest, crops: written + existing, bytes: this.#bytes, refused: sorted };
  }

  read({ tracks, boxes, plan }: { tracks: number; boxes: number; plan?: CropPlan }): void {
    this.#plan = plan ?? { ...this.#plan, tracks, boxes };
  }

  begin(books: WorkFile, { pack }: { pack: boolean }): void {
    this.#started = performance.now();
    const { problems, bytes: _, ...counts } = readCounts(books);
    // What is to be looked at is counted when it has been.
    const open = counts.boxes - Object.values(counts.refused).reduce((sum, n) => sum + n, 0);
    const settled = pack ? counts.existing : 0;
    this.#counts = {
      ...counts,
      boxes: counts.boxes - open + settled + problems,
      existing: settled,
      quarantined: problems,
    };
  }

  /** Takes over the counts of an earlier run that has left nothing to do. */
  takeOver({ crops, bytes, ...rest }: DoneCounts): void {
    this.#counts = { ...rest, written: 0, existing: crops };
    this.#bytes = bytes;
  }

  enter({ items, outcomes }: CropJobResult): void {
    this.#done += items.length;
    this.#counts.boxes += items.length;
    items.forEach(({ video, track, frame, image }, i) => {
      const outcome = outcomes[i];
      if (outcome.kind === "quarantined") {
        this.#counts.quarantined++;
        const { reason } = outcome;
        this.#news.push({ file: sourceName(image), reason, video, track, frame });
      } else if (outcome.kind === "refused") {
        const { refused } = this.#counts;
        refused[outcome.reason] = (refused[outcome.reason] ?? 0) + 1;
      } else this.#counts[outcome.kind]++;
    });
  }

  /** @throws {Error} If the books and what this run has counted do not agree. */
  settle(books: WorkFile): void {
    const kept = readCounts(books);
    const { boxes, written, existing, quarantined } = this.#counts;
    const refused = Object.values(kept.refused).reduce((sum, n) => sum + n, 0);
    const sum = kept.existing + refused + kept.quarantined;
    if (sum !== this.#plan.boxes || boxes !== sum || written + existing !== kept.existing) {
      throw new Error(
        `Cannot end: of ${this.#plan.boxes} boxes ${
          written + existing
        } have crops, ${refused} are ` +
          `refused and ${quarantined} in quarantine, but the books say ${kept.existing}, ` +
          `${refused} and ${kept.quarantined}`,
      );
    }
    this.#bytes = kept.bytes;
    this.#news = [...take(readQuarantine(books), TOLD_ENTRIES)];
  }

  report(kind: PrepareReport["kind"]): PrepareReport {
    const elapsedSeconds = (performance.now() - this.#started) / 1000;
    const rate = this.#done / elapsedSeconds;
    const { digest: _, ...plan } = this.#plan;
    const quarantine = this.#news;
    this.#news = [];
    return {
      kind,
      plan,
      counts: structuredClone(this.#counts),
      elapsedSeconds,
      rate,
      etaSeconds: rate > 0 ? (plan.boxes - this.#counts.boxes) / rate : Infinity,
      quarantine,
      bytes: this.#bytes,
      annotations: this.#annotations,
    };
  }
}

function* take<T>(items: Iterable<T>, count: number): Generator<T> {
  for (const item of items) {
    if (count-- <= 0) return;
    yield item;
  }
}
