import type { ExperimentConfig } from "../config/mod.ts";
import { BANDataset, type PairOptions } from "./ban_dataset.ts";
import type { SubDatasetOptions } from "./sub_dataset.ts";

/** The parts of an experiment that decide its data. */
export type DataConfig = Pick<ExperimentConfig, "dataset" | "points" | "training">;

/**
 * Opens the sets that an experiment names.
 *
 * @throws {RangeError} If a name has no set.
 * @throws {Error} If an annotation file cannot be read.
 */
export function openDataset(config: DataConfig): BANDataset {
  return BANDataset.open(setOptions(config), pairOptions(config));
}

/** The sets that an experiment names, in its order. */
export function setOptions({ dataset }: DataConfig): SubDatasetOptions[] {
  return dataset.names.map((name) => {
    if (Object.hasOwn(dataset.sets, name)) return { name, ...dataset.sets[name] };
    throw new RangeError(`Cannot find dataset "${name}", expected one of dataset.sets`);
  });
}

/** How an experiment draws and varies its pairs. */
export function pairOptions({ dataset, points, training }: DataConfig): PairOptions {
  const { template, search, neg, gray, videosPerEpoch } = dataset;
  const { exemplarSize, searchSize, scoreSize, posNum, totalNum, negNum } = training;
  return {
    template,
    search,
    neg,
    gray,
    videosPerEpoch,
    exemplarSize,
    searchSize,
    scoreSize,
    stride: points.stride,
    counts: { positive: posNum, total: totalNum, negativePair: negNum },
  };
}
