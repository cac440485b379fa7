/** Whether a prepared folder is whole: each annotation with its crop, each crop a good picture. */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { CropStore, openCropStore } from "./crop_store.ts";
import type { Corner } from "../geometry/boxes.ts";
import { readHashList, type RecordedHash } from "./hash_list.ts";
import { JsonScanner } from "./json_scanner.ts";
import { readClaim } from "./prepare_claim.ts";
import { runJobs } from "./run_jobs.ts";
import { cropPath } from "./sub_dataset.ts";
import { CropChecker, type VerifyItem, type VerifyJob, type VerifyProblem } from "./verify_job.ts";

export type { VerifyProblem } from "./verify_job.ts";

/** How far {@linkcode verifyPrepared} is; the last report is `done`. */
export interface VerifyReport {
  readonly kind: "progress" | "done";
  /** Boxes looked at. */
  readonly boxes: number;
  /** Crops whose hash was recorded and compared. */
  readonly hashed: number;
  readonly problemCount: number;
  /** The newest problems; in the last report the first hundred, and those of whole files. */
  readonly problems: readonly VerifyProblem[];
  readonly elapsedSeconds: number;
  /** Some boxes, for a person to look at; in the last report. */
  readonly samples: readonly VerifySample[];
}

/** A crop and the box in its original frame. */
export interface VerifySample {
  readonly name: string;
  readonly box: Corner;
}

export interface VerifyOptions {
  /** The prepared folder, with `crop511` and annotation files. */
  readonly folder: string;
  /** Threads; one a core, 0 for this one. */
  readonly workers?: number;
  /** Number of boxes for the contact sheet; 48. */
  readonly samples?: number;
}

const CHUNK = 64;
const TOLD_PROBLEMS = 100;

/**
 * Looks at every box of the annotation files: its crop is there, decodes without a warning, has
 * 511 x 511 pixels and the recorded hash, and the box lies in it; and that the annotation files are
 * those that were written.
 *
 * @throws {RangeError} If the folder holds no annotation files.
 */
export async function* verifyPrepared(
  { folder, workers = navigator.hardwareConcurrency, samples: wanted = 48 }: VerifyOptions,
): AsyncGenerator<VerifyReport> {
  const files = await annotationFiles(folder);
  const root = join(folder, "crop511");
  const data = openCropStore(root);
  const started = performance.now();
  const sampler = new Sampler(wanted);
  const told: VerifyProblem[] = [];
  let [boxes, hashed, problemCount] = [0, 0, 0];
  const report = (kind: VerifyReport["kind"], problems: readonly VerifyProblem[]) => ({
    ...{ kind, boxes, hashed, problemCount, problems },
    elapsedSeconds: (performance.now() - started) / 1000,
    samples: kind === "done" ? sampler.samples : [],
  });
  using checker = new CropChecker();
  const worker = new URL("./verify_worker.ts", import.meta.url);
  const run = (job: VerifyJob) => checker.run(job);
  const jobs = jobsOf(files, { folder, data, sampler });
  for await (const result of runJobs(jobs, { worker, workers, run })) {
    boxes += result.boxes;
    hashed += result.hashed;
    problemCount += result.problems.length;
    told.push(...result.problems.slice(0, Math.max(0, TOLD_PROBLEMS - told.length)));
    yield report("progress", result.problems);
  }
  const others = [...await changedAnnotations(folder, files), ...await missingBoxes(folder, boxes)];
  problemCount += others.length;
  yield report("done", [...told, ...others]);
}

async function annotationFiles(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && /\.json$/.test(name) && !/^(prepare|quarantine)\.json$/.test(name)) {
      names.push(name.slice(0, -".json".length));
    }
  }
  if (names.length > 0) return names.sort();
  throw new RangeError(
    `Cannot verify "${folder}": there are no annotation files, expected a folder that ` +
      '"deno task prep-data" has written',
  );
}

/** Whether there are as many boxes as the preparation has noted. */
async function missingBoxes(folder: string, boxes: number): Promise<VerifyProblem[]> {
  const claim = await readClaim(folder);
  if (!claim) return [];
  if (!claim.done) {
    return [{ name: "prepare.json", reason: "the preparation has not ended, start it again" }];
  }
  const noted = claim.annotated!.train + claim.annotated!.val;
  if (noted === boxes) return [];
  const reason = `the annotations hold ${boxes} boxes, ${noted} were written`;
  return [{ name: "prepare.json", reason }];
}

/** Annotation files that are not what was written, where their hashes were recorded. */
async function changedAnnotations(
  folder: string,
  names: readonly string[],
): Promise<VerifyProblem[]> {
  const problems: VerifyProblem[] = [];
  for (const name of names) {
    const file = `${name}.json`;
    const recorded = await new HashCursor(join(folder, `${name}.sha256`)).take(file);
    if (recorded === undefined || recorded === await hashOf(join(folder, file))) continue;
    problems.push({ name: file, reason: "its content is not what was written" });
  }
  return problems;
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}

async function* jobsOf(
  names: readonly string[],
  { folder, data, sampler }: {
    folder: string;
    data: VerifyJob["store"];
    sampler: Sampler;
  },
): AsyncGenerator<VerifyJob> {
  for (const name of names) {
    const hashes = new HashCursor(join(folder, `${name}.sha256`));
    await hashes.take(`${name}.json`); // it stands before the crops
    let items: VerifyItem[] = [];
    for (const { video, track, frame, box } of readBoxes(join(folder, `${name}.json`))) {
      const crop = cropPath({ video, track, frame }).replace(/^\.\//, "");
      sampler.add({ name: crop, box });
      items.push({ name: crop, box, hash: await hashes.take(`crop511/${crop}`) });
      if (items.length < CHUNK) continue;
      yield { store: data, items };
      items = [];
    }
    if (items.length > 0) yield { store: data, items };
  }
}

/** The boxes of an annotation file, in its order. */
function* readBoxes(path: string) {
  using file = Deno.openSync(path);
  const scanner = new JsonScanner(file, { name: path });
  for (const video of scanner.members()) {
    for (const track of scanner.members()) {
      for (const frame of scanner.members()) {
        const [x1, y1, x2, y2] = scanner.numbers();
        yield { video, track, frame: Number(frame), box: { x1, y1, x2, y2 } };
      }
    }
  }
}

/** Recorded hashes, which stand in the order of the boxes; a box may lack one. */
class HashCursor {
  readonly #list: AsyncGenerator<RecordedHash>;
  #next?: Promise<IteratorResult<RecordedHash>>;

  constructor(file: string) {
    this.#list = readHashList(file);
  }

  /** The hash of a crop, if the list has it next. */
  async take(path: string): Promise<string | undefined> {
    this.#next ??= this.#list.next();
    const { value } = await this.#next;
    if (value?.path !== path) return undefined;
    this.#next = undefined;
    return value.hash;
  }
}

/** Keeps some of a stream's boxes, spread evenly, however many come. */
class Sampler {
  readonly #wanted: number;
  #step = 1;
  #seen = 0;
  #kept: VerifySample[] = [];

  constructor(wanted: number) {
    this.#wanted = wanted;
  }

  add(sample: VerifySample): void {
    if (this.#wanted === 0 || this.#seen++ % this.#step !== 0) return;
    this.#kept.push(sample);
    if (this.#kept.length < 2 * this.#wanted) return;
    this.#kept = this.#kept.filter((_, i) => i % 2 === 0);
    this.#step *= 2;
  }

  get samples(): VerifySample[] {
    const { length } = this.#kept;
    if (length <= this.#wanted) return this.#kept;
    return Array.from(
      { length: this.#wanted },
      (_, i) => this.#kept[Math.floor(i * length / this.#wanted)],
    );
  }
}

/** Reads crops of a prepared folder by name. */
export function openPrepared(folder: string): CropStore {
  return new CropStore(openCropStore(join(folder, "crop511")));
}
