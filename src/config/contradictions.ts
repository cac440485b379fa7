/** Checks that the parts of an experiment fit each other. */
import type { Contradiction } from "./contradiction.ts";
import { STANDARD_SETS } from "./dataset_schema.ts";
import { featureChannels, isNanoTrack, layerNames, NANOTRACK_BACKBONES } from "./feature_maps.ts";
import type { ExperimentConfig } from "./experiment_config.ts";
import { checkTrackingSizes, checkTrainingSizes } from "./size_checks.ts";

/**
 * Lists what cannot work together.
 *
 * @param config A completed experiment.
 * @param options `sizes: false` leaves out the relation of image, grid and score sizes.
 */
export function* findContradictions(
  config: ExperimentConfig,
  { sizes = true }: { readonly sizes?: boolean } = {},
): Generator<Contradiction> {
  yield* checkTraining(config);
  yield* checkSchedule(config);
  yield* checkDataset(config);
  yield* checkModel(config);
  if (sizes) {
    yield* checkTrainingSizes(config);
    yield* checkTrackingSizes(config);
  }
}

function* checkTraining({ training, dataset }: ExperimentConfig): Generator<Contradiction> {
  if (training.posNum > training.totalNum) {
    yield {
      path: ["training", "posNum"],
      expected: `at most training.totalNum (${training.totalNum})`,
    };
  }
  if (training.startEpoch >= training.epochs) {
    yield {
      path: ["training", "startEpoch"],
      expected: `an epoch below training.epochs (${training.epochs}), epochs count from 0`,
    };
  }
  const { videosPerEpoch } = dataset;
  if (videosPerEpoch > 0 && videosPerEpoch < training.batchSize) {
    yield {
      path: ["dataset", "videosPerEpoch"],
      expected: `at least training.batchSize (${training.batchSize}), or -1 for all`,
    };
  }
}

function* checkSchedule({ training }: ExperimentConfig): Generator<Contradiction> {
  const { lr, lrWarmup, epochs } = training;
  if (!lrWarmup.warmup) {
    yield* checkSpace("lr", lr, epochs);
  } else if (lrWarmup.epoch >= epochs) {
    yield {
      path: ["training", "lrWarmup", "epoch"],
      expected: `fewer epochs than training.epochs (${epochs}), or training.lrWarmup.warmup=false`,
    };
  } else {
    yield* checkSpace("lrWarmup", lrWarmup, lrWarmup.epoch);
    yield* checkSpace("lr", lr, epochs - lrWarmup.epoch);
  }
}

/** One learning-rate space over `epochs` epochs: the divisions of lr_scheduler.py must be possible. */
function* checkSpace(
  key: "lr" | "lrWarmup",
  space: ExperimentConfig["training"]["lr" | "lrWarmup"],
  epochs: number,
): Generator<Contradiction> {
  if (space.type !== "step" && space.type !== "multi-step") return;
  const path = ["training", key, "kwargs"];
  const { startLr, endLr } = space.kwargs;
  if (startLr === null && endLr === null) {
    yield { path: [...path, "startLr"], expected: "a number above 0, or one for endLr" };
  }
  if (space.type === "step" && startLr !== null && endLr !== null && space.kwargs.step > epochs) {
    yield { path: [...path, "step"], expected: `at most the ${epochs} epochs of this schedule` };
  }
}

function* checkDataset({ dataset }: ExperimentConfig): Generator<Contradiction> {
  const known = Object.keys(dataset.sets);
  for (const [i, name] of dataset.names.entries()) {
    if (Object.hasOwn(dataset.sets, name)) continue;
    yield {
      path: ["dataset", "names", String(i)],
      expected: `one of ${known.join(", ")}, or a section dataset.sets.${name} with root and anno`,
      choices: known,
    };
  }
  for (const [name, set] of Object.entries(dataset.sets)) {
    if (Object.hasOwn(STANDARD_SETS, name)) continue;
    for (const key of ["root", "anno"] as const) {
      if (set[key] !== "") continue;
      const what = key === "root" ? "the folder of its crops" : "its JSON file of boxes";
      yield { path: ["dataset", "sets", name, key], expected: what };
    }
  }
}

function listsEqual(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

function* checkModel({ backbone, neck, head }: ExperimentConfig): Generator<Contradiction> {
  const layers = layerNames(backbone);
  for (const [i, layer] of backbone.trainLayers.entries()) {
    if (layers.includes(layer)) continue;
    yield {
      path: ["backbone", "trainLayers", String(i)],
      expected: `a layer of this ${backbone.type}: ${layers.join(", ")}`,
      choices: layers,
    };
  }
  if (isNanoTrack(head)) {
    const expected = NANOTRACK_BACKBONES[head.type];
    if (backbone.type === expected) return;
    yield { path: ["backbone", "type"], expected: `${expected}, which ${head.type} stands on` };
    return;
  }
  if (backbone.type === "mobilenetv3_small" || backbone.type === "mobilenetv3_small_v3") {
    const heads = Object.entries(NANOTRACK_BACKBONES)
      .filter(([, type]) => type === backbone.type).map(([type]) => type);
    yield { path: ["head", "type"], expected: `${heads.join(" or ")} on ${backbone.type}` };
    return;
  }
  const features = featureChannels(backbone);
  if (features.some((channels) => channels < 1)) {
    yield { path: ["backbone", "kwargs", "widthMult"], expected: "a width that leaves a channel" };
    return;
  }
  if (neck.enabled) yield* checkNeck(neck, features);
  const from = neck.enabled ? "neck.kwargs.outChannels" : `${backbone.type}'s channels`;
  yield* checkHead(head, neck.enabled ? [neck.kwargs.outChannels].flat() : features, from);
}

function* checkNeck(
  neck: ExperimentConfig["neck"],
  features: readonly number[],
): Generator<Contradiction> {
  if (neck.type === "AdjustLayer" && features.length > 1) {
    yield {
      path: ["neck", "type"],
      expected: `AdjustAllLayer for the ${features.length} levels of backbone.kwargs.usedLayers`,
    };
    return;
  }
  const { inChannels, outChannels } = neck.kwargs;
  if (!listsEqual([inChannels].flat(), features)) {
    yield {
      path: ["neck", "kwargs", "inChannels"],
      expected: `${written(features, inChannels)}, the channels that the backbone delivers`,
    };
  } else if ([outChannels].flat().length !== features.length) {
    yield {
      path: ["neck", "kwargs", "outChannels"],
      expected: `${features.length} channel counts, one a level`,
    };
  }
}

function* checkHead(
  head: ExperimentConfig["head"],
  delivered: readonly number[],
  from: string,
): Generator<Contradiction> {
  if (head.type !== "MultiBAN" && delivered.length > 1) {
    yield { path: ["head", "type"], expected: `MultiBAN for ${delivered.length} levels` };
    return;
  }
  if (isNanoTrack(head)) return;
  const key = head.type === "UPChannelBAN" ? "featureIn" : "inChannels";
  const given = head.type === "UPChannelBAN" ? head.kwargs.featureIn : head.kwargs.inChannels;
  if (!listsEqual([given].flat(), delivered)) {
    yield {
      path: ["head", "kwargs", key],
      expected: `${written(delivered, given)}, equal to ${from}`,
    };
  }
}

/** `channels` in the form, list or number, in which the setting is written. */
function written(channels: readonly number[], like: number | readonly number[]): string {
  return typeof like === "number" ? String(channels[0]) : `[${channels.join(", ")}]`;
}
