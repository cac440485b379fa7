import { dirname, join, resolve } from "@std/path";
import type { ExperimentConfig } from "../config/schema.ts";
import { BANDataset } from "../data/ban_dataset.ts";
import { prepare, type PrepareReport } from "../data/prepare.ts";
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
 * @throws {Error} As {@linkcode prepare}.
 */
export async function* prepareMissing({ dataset }: ExperimentConfig): AsyncGenerator<SetReport> {
  for (const name of dataset.names) {
    const { anno, root, source } = dataset.sets[name];
    if (!source || await exists(anno)) continue;
    const out = dirname(anno);
    const crops = join(out, "crop511");
    if (resolve(root) !== resolve(crops)) {
      throw new RangeError(
        `Cannot prepare set ${name}: its root is "${root}", expected "${crops}" beside "${anno}"`,
      );
    }
    const tracks = () => TRACK_READERS[source.format](source);
    const names = await annotationNames(source.format, source);
    for await (const report of prepare({ tracks, out, source, annotationNames: names })) {
      yield { set: name, report };
    }
  }
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
