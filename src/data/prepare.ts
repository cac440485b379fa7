/**
 * Preparation: raw tracks become 511 x 511 crops and annotation files in the published layout,
 * `crop511/<video>/<frame>.<track>.x.jpg`, `train.json`, `val.json`.
 *
 * @module
 */
import { join } from "@std/path";
import { type CropJob, CropRunner } from "./crop_job.ts";
import { CROP_SETTINGS } from "./cropper.ts";
import { type CropPlan, cutIntoParts, planCrops } from "./crop_plan.ts";
import { Ledger, type PrepareReport } from "./prepare_ledger.ts";
import { runJobs } from "./run_jobs.ts";
import type { Track } from "./track.ts";
import { writeWhole } from "./whole_file.ts";

export type { PrepareCounts, PrepareReport, QuarantineEntry } from "./prepare_ledger.ts";

/** What to prepare, and how. */
export interface PrepareOptions {
  /** Gives the tracks, the same each time; it is called twice. */
  readonly tracks: () => AsyncIterable<Track>;
  /** Folder of the result. */
  readonly out: string;
  /** Threads; one a core, 0 for this one. */
  readonly workers?: number;
  /** JPEG quality of the crops; 95. */
  readonly quality?: number;
  /** Every so many-th video goes to val.json; 0 leaves it to the set. */
  readonly valEvery?: number;
  /** Also writes the template crops, which training does not read; false. */
  readonly templateCrops?: boolean;
}

/**
 * Cuts the crops and writes the annotation files; yields a report after each part of the work. The
 * last one, `done`, comes when all files are written.
 *
 * A frame that cannot be read goes to `quarantine.json` and does not stop the run. Files appear
 * only when they are whole: a run that was stopped goes on where it was when it is started again.
 *
 * @throws {RangeError} If there are no tracks, or the folder holds the crops of other boxes.
 * @throws {Error} If a file cannot be written.
 */
export async function* prepare(options: PrepareOptions): AsyncGenerator<PrepareReport> {
  const { out, workers = navigator.hardwareConcurrency } = options;
  const plan = await planCrops(options.tracks());
  if (plan.boxes === 0) {
    throw new RangeError("Cannot prepare: no boxes were found, check the folder and its format");
  }
  await claimFolder(out, plan, options);
  const ledger = new Ledger(plan, options.valEvery ?? 0);
  await using runner = new CropRunner();
  const worker = new URL("./prepare_worker.ts", import.meta.url);
  const run = (job: CropJob) => runner.run(job);
  yield ledger.report("progress");
  for await (const result of runJobs(jobsOf(options, ledger), { worker, workers, run })) {
    ledger.enter(result);
    yield ledger.report("progress");
  }
  await ledger.write(out);
  yield ledger.report("done");
}

async function* jobsOf(options: PrepareOptions, ledger: Ledger): AsyncGenerator<CropJob> {
  const { out, quality = CROP_SETTINGS.quality, templateCrops = false } = options;
  const settings = { ...CROP_SETTINGS, quality };
  const parts = cutIntoParts(options.tracks(), (track, number) => ledger.admit(track, number));
  for await (const part of parts) {
    yield { ...part, root: join(out, `crop${settings.searchSize}`), settings, templateCrops };
  }
}

/** Makes the folder, or makes sure that it belongs to the same work. */
async function claimFolder(out: string, plan: CropPlan, options: PrepareOptions): Promise<void> {
  const path = join(out, "prepare.json");
  const { quality = CROP_SETTINGS.quality } = options;
  const claim = JSON.stringify({ form: 1, ...CROP_SETTINGS, quality, ...plan }, null, 2) + "\n";
  await Deno.mkdir(out, { recursive: true });
  const held = await readIfThere(path);
  if (held === claim) return;
  const foreign = held === undefined && await isThere(join(out, "train.json"));
  if (held !== undefined || foreign) {
    const what = foreign ? "annotations of another origin" : "crops of other boxes or settings";
    throw new RangeError(
      `Cannot prepare into "${out}": it holds ${what}, remove it or choose another folder`,
    );
  }
  await writeWhole(path, [claim]);
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
