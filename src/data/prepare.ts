/**
 * Preparation: raw tracks become 511 x 511 crops and annotation files in the published layout,
 * `crop511/<video>/<frame>.<track>.x.jpg`, `train.json`, `val.json`.
 *
 * @module
 */
import { join } from "@std/path";
import { type Claim, openClaim, writeClaim } from "./prepare_claim.ts";
import { type CropJob, type CropJobResult, CropRunner } from "./crop_job.ts";
import { CROP_SETTINGS } from "./cropper.ts";
import { cutIntoJobs, planCrops } from "./crop_plan.ts";
import { CropPacker, isPackWhole } from "./crop_packer.ts";
import { enterOutcome, readItems } from "./prepare_books.ts";
import {
  readHashes,
  readQuarantine,
  writeAnnotationFiles,
  writeQuarantine,
} from "./prepare_results.ts";
import { type PrepareReport, Tally } from "./prepare_tally.ts";
import { nativeImageLibrary } from "../image/native_images.ts";
import { runJobs } from "./run_jobs.ts";
import type { RawItem } from "./track.ts";
import { removeWorkFile, WorkFile, WorkFileBusy } from "./work_file.ts";

export type { PrepareCounts, QuarantineEntry } from "./prepare_books.ts";
export type { PrepareReport } from "./prepare_tally.ts";

/** What to prepare, and how. */
export interface PrepareOptions {
  /** Gives what a reader finds, the same each time. */
  readonly tracks: () => AsyncIterable<RawItem>;
  /** Folder of the result. */
  readonly out: string;
  /** What `prepare.json` says about where the tracks come from. */
  readonly source?: unknown;
  /** Threads; one a core, 0 for this one. */
  readonly workers?: number;
  /** JPEG quality of the crops; 95. */
  readonly quality?: number;
  /** Every so many-th video goes to the annotations for validation; 0 leaves it to the set. */
  readonly valEvery?: number;
  /** Also writes the template crops, which training does not read; false. */
  readonly templateCrops?: boolean;
  /** Puts the crops into tar shards with an index instead of files; false. */
  readonly pack?: boolean;
  /** Bytes of a shard; 1 GiB. */
  readonly shardBytes?: number;
  /**
   * Does what the published scripts do, with their faults: the tracks must be read so too. A video
   * ends at its first bad frame, of two boxes of one name the later stays; template crops are
   * written.
   */
  readonly asPublished?: boolean;
  /** Base names of the annotation files; `train` and `val`. */
  readonly annotationNames?: { readonly train: string; readonly val: string };
}

const SHARD_BYTES = 2 ** 30;
const DEFAULT_NAMES = { train: "train", val: "val" };

/**
 * Cuts the crops and writes the annotation files; yields a report after each part of the work. The
 * last one, `done`, comes when all files are written.
 *
 * Two preparations of one folder wait for each other. A file that cannot be read goes to `quarantine.json` and does not stop the run. Files appear only
 * when they are whole: a run that was stopped goes on where it was when it is started again, and
 * its result is the same, byte for byte. Memory does not grow with the set.
 *
 * @throws {RangeError} If there are no tracks, or the folder holds the crops of other boxes.
 * @throws {Error} If a file cannot be written.
 */
export async function* prepare(options: PrepareOptions): AsyncGenerator<PrepareReport> {
  const { out } = options;
  await Deno.mkdir(out, { recursive: true });
  const path = join(out, "prepare.sqlite");
  const tally = new Tally(Object.values(options.annotationNames ?? DEFAULT_NAMES));
  await openClaim(out, claimOf(options));
  while (isBusy(path)) {
    yield tally.report("waiting");
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
  const claim = await openClaim(out, claimOf(options)); // the other one may have written it
  try {
    using books = new WorkFile(path);
    yield* readPlan(books, options, tally);
    await claim.confirm(tally.plan);
    if (claim.done && options.pack && await isPackWhole(join(out, "crop511"))) {
      tally.takeOver(claim.done);
    } else {
      if (claim.done) await takeUp(books, options);
      yield* cutCrops(books, options, tally);
      const annotated = await writeResults(books, options);
      tally.settle(books);
      await writeClaim(claim, { plan: tally.plan, counts: tally.doneCounts, annotated });
    }
  } catch (error) {
    if (claim.isForeign || tally.isEmpty) await removeWorkFile(path);
    throw error;
  }
  await removeWorkFile(path);
  yield tally.report("done");
}

/** Whether another process prepares into the folder: one that was cut loose may still be at it. */
function isBusy(path: string): boolean {
  try {
    new WorkFile(path)[Symbol.dispose]();
    return false;
  } catch (error) {
    if (error instanceof WorkFileBusy) return true;
    throw error;
  }
}

function claimOf(options: PrepareOptions): Omit<Claim, "plan"> {
  const { quality = CROP_SETTINGS.quality, pack = false, asPublished = false } = options;
  const { source, valEvery = 0, templateCrops = asPublished } = options;
  return { ...CROP_SETTINGS, quality, pack, asPublished, templateCrops, valEvery, source };
}

async function* readPlan(
  books: WorkFile,
  { tracks, valEvery = 0, asPublished = false }: PrepareOptions,
  tally: Tally,
): AsyncGenerator<PrepareReport> {
  for await (const progress of planCrops(tracks(), books, { valEvery, replace: asPublished })) {
    tally.read(progress);
    yield tally.report("reading");
  }
  if (tally.plan.boxes > 0) return;
  const [fault] = readQuarantine(books);
  tally.isEmpty = true;
  throw new RangeError(
    "Cannot prepare: no boxes were found, check the folder and its format" +
      (fault ? `: ${fault.reason}` : ""),
  );
}

/** Takes up what a finished run has left, so that only what is missing is cut again. */
async function takeUp(books: WorkFile, options: PrepareOptions): Promise<void> {
  if (options.pack) return; // shards are cut again from the first
  const { out, annotationNames: names = DEFAULT_NAMES } = options;
  for (const name of [names.train, names.val]) await readHashes(books, join(out, `${name}.sha256`));
}

async function* cutCrops(
  books: WorkFile,
  options: PrepareOptions,
  tally: Tally,
): AsyncGenerator<PrepareReport> {
  const { workers = navigator.hardwareConcurrency, pack = false, shardBytes = SHARD_BYTES } =
    options;
  const root = join(options.out, "crop511");
  using packer = pack ? new CropPacker(books, root, shardBytes) : undefined;
  await using runner = new CropRunner();
  const worker = new URL("./prepare_worker.ts", import.meta.url);
  const run = (job: CropJob) => runner.run(job);
  tally.begin(books, { pack });
  yield tally.report("progress");
  const jobs = jobsOf(books, options, root);
  for await (const result of runJobs(jobs, { worker, workers, run, inOrder: pack })) {
    enterResult(books, result, packer);
    tally.enter(result);
    yield tally.report("progress");
  }
  await packer?.finish();
}

async function* jobsOf(
  books: WorkFile,
  options: PrepareOptions,
  root: string,
): AsyncGenerator<CropJob> {
  const { quality = CROP_SETTINGS.quality, asPublished = false, pack = false } = options;
  const { templateCrops = asPublished } = options;
  const settings = { ...CROP_SETTINGS, quality };
  const items = readItems(books, { skipWritten: pack });
  // Without it the same pixels take longer; why there is none is the build's to tell.
  const library = await nativeImageLibrary().catch(() => undefined);
  for (const part of cutIntoJobs(items, { byVideo: asPublished })) {
    yield { root, items: part, settings, templateCrops, pack, library, stopAtFault: asPublished };
  }
}

/** The books tell of crops only once they are there. */
function enterResult(
  books: WorkFile,
  { items, outcomes }: CropJobResult,
  packer: CropPacker | undefined,
): void {
  books.begin();
  items.forEach((item, i) => {
    const outcome = outcomes[i];
    enterOutcome(books, item, outcome, packer?.add(item, outcome) ?? null);
  });
  packer?.note();
  books.commit();
}

async function writeResults(books: WorkFile, options: PrepareOptions) {
  const { out, annotationNames: names = DEFAULT_NAMES } = options;
  const train = await writeAnnotationFiles(books, { out, name: names.train, split: "train" });
  const val = await writeAnnotationFiles(books, { out, name: names.val, split: "val" });
  await writeQuarantine(books, join(out, "quarantine.json"));
  return { train, val };
}
