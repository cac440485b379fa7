import { basename, dirname, join, resolve } from "@std/path";
import type { ExperimentConfig, SourceConfig } from "../config/mod.ts";
import { BANDataset } from "../data/ban_dataset.ts";
import { prepare, type PrepareReport } from "../data/prepare.ts";
import { readClaim } from "../data/prepare_claim.ts";
import { annotationNames, TRACK_READERS } from "../data/readers/mod.ts";

/**
 * Opens the prepared sets of an experiment.
 *
 * @throws {Error} If an annotation file cannot be read; names it.
 */
export function openDataset({ training, dataset, points }: ExperimentConfig): BANDataset {
  const sets = dataset.names.map((name) => {
    const { root, anno, frameRange, numUse } = dataset.sets[name];
    return { name, root, anno, frameRange, numUse };
  });
  return BANDataset.open(sets, {
    template: dataset.template,
    search: dataset.search,
    neg: dataset.neg,
    gray: dataset.gray,
    unreadable: dataset.unreadable,
    videosPerEpoch: dataset.videosPerEpoch,
    exemplarSize: training.exemplarSize,
    searchSize: training.searchSize,
    scoreSize: training.scoreSize,
    stride: points.stride,
    counts: {
      positive: training.posNum,
      total: training.totalNum,
      negativePair: training.negNum,
    },
  });
}

/** How far the preparation of a set is. */
export interface SetReport {
  /** Name of the set. */
  readonly set: string;
  readonly report: PrepareReport;
}

/**
 * Prepares the sets of an experiment that name their raw data and have no annotation file yet.
 *
 * @throws {RangeError} If a set was prepared from other raw data than the experiment names.
 * @throws {Error} As {@linkcode prepare}.
 */
export async function* prepareMissing({ dataset }: ExperimentConfig): AsyncGenerator<SetReport> {
  for (const name of dataset.names) {
    const { anno, root, source } = dataset.sets[name];
    if (!source) continue;
    const out = dirname(anno);
    if (await exists(anno) && await isFinished(name, out, source)) continue;
    const crops = join(out, "crop511");
    if (resolve(root) !== resolve(crops)) {
      throw new RangeError(
        `Cannot prepare set ${name}: its root is "${root}", expected "${crops}" beside "${anno}"`,
      );
    }
    const isDrawn = source.format === "synthetic";
    const reading = isDrawn ? source : { ...source, root: resolve(source.root) };
    const tracks = () => TRACK_READERS[source.format](reading);
    const names = await annotationNames(source.format, reading);
    const file = basename(anno, ".json");
    if (file !== names.train && file !== names.val) {
      throw new RangeError(
        `Cannot prepare set ${name}: its anno is "${anno}", expected ` +
          `"${join(out, names.train)}.json", which preparation writes`,
      );
    }
    for await (const report of prepare({ tracks, out, source, annotationNames: names })) {
      yield { set: name, report };
    }
  }
}

/** Whether nothing is left to prepare; data that was not prepared here is taken as it is. */
async function isFinished(set: string, out: string, source: SourceConfig): Promise<boolean> {
  const held = await readClaim(out);
  if (held?.source === undefined) return true;
  const [was, is] = [held.source, source].map((one) => canonical(one as SourceConfig));
  if (was === is) return held.done ?? false;
  throw new RangeError(
    `Cannot use set ${set}: "${out}" was prepared from ${was}, the experiment now says ${is}, ` +
      'remove that folder to prepare it again, or give the set another "root" and "anno"',
  );
}

/** A source in words that do not depend on how it was written. */
function canonical({ format, root, boxes, videos, frames, seed }: SourceConfig): string {
  return JSON.stringify({
    format,
    root: format === "synthetic" ? undefined : resolve(root),
    boxes: boxes === undefined ? undefined : resolve(boxes),
    ...{ videos, frames, seed },
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
