/** Checks that images, grid, network and score map have sizes that go together. */
import type { Contradiction } from "./contradiction.ts";
import {
  featureSizes,
  isNanoTrack,
  NANOTRACK_TEMPLATE,
  nanotrackScoreSize,
  scoreMapSize,
} from "./feature_maps.ts";
import type { ExperimentConfig } from "./experiment_config.ts";

/**
 * The reference's relation of image, grid and score sizes ("size not match!",
 * siamban/datasets/dataset.py), and whether the network makes a score map of that size.
 */
export function* checkTrainingSizes(config: ExperimentConfig): Generator<Contradiction> {
  const { exemplarSize, searchSize, baseSize, scoreSize } = config.training;
  const { stride } = config.points;
  const path = ["training", "scoreSize"];
  if (searchSize <= exemplarSize) {
    const expected = `more than training.exemplarSize (${exemplarSize})`;
    yield { path: ["training", "searchSize"], expected };
    return;
  }
  const size = (searchSize - exemplarSize) / stride + 1 + baseSize;
  if (size !== scoreSize) {
    const relation = `(searchSize ${searchSize} - exemplarSize ${exemplarSize}) / points.stride ` +
      `${stride} + 1 + baseSize ${baseSize}`;
    const expected = Number.isInteger(size)
      ? `${size} = ${relation}, size not match!`
      : `${relation}, which is no whole number (${size}), size not match!`;
    yield { path, expected };
    return;
  }
  yield* checkNetworkSize(config, { path, exemplarSize, searchSize, scoreSize });
}

/** The same for the images of the tracker. */
export function* checkTrackingSizes(config: ExperimentConfig): Generator<Contradiction> {
  const { exemplarSize, searchSize, baseSize } = config.tracking;
  const path = ["tracking", "searchSize"];
  if (searchSize <= exemplarSize) {
    yield { path, expected: `more than tracking.exemplarSize (${exemplarSize})` };
    return;
  }
  if (baseSize !== config.training.baseSize) {
    yield {
      path: ["tracking", "baseSize"],
      expected: `training.baseSize (${config.training.baseSize}), both describe the same network`,
    };
    return;
  }
  // Parity: the tracker rounds down where training insists (siamban/tracker/siamban_tracker.py).
  const scoreSize = Math.floor((searchSize - exemplarSize) / config.points.stride) + 1 + baseSize;
  yield* checkNetworkSize(config, { path, exemplarSize, searchSize, scoreSize });
}

interface Sizes {
  readonly path: readonly string[];
  readonly exemplarSize: number;
  readonly searchSize: number;
  readonly scoreSize: number;
}

/** The score map that the grid assumes must be the one that the network makes. */
function* checkNetworkSize(config: ExperimentConfig, sizes: Sizes): Generator<Contradiction> {
  const { backbone, neck } = config;
  const template = featureSizes(backbone, sizes.exemplarSize);
  const search = featureSizes(backbone, sizes.searchSize);
  const { head } = config;
  const scores = template.map((size, i) =>
    isNanoTrack(head)
      ? nanotrackScoreSize(head.type, search[i])
      : scoreMapSize({ template: size, search: search[i], neck: neck.enabled })
  );
  const where = `${sizes.exemplarSize} and ${sizes.searchSize} pixels`;
  if (isNanoTrack(head) && template[0] !== NANOTRACK_TEMPLATE) {
    yield {
      path: [sizes.path[0], "exemplarSize"],
      expected:
        `a template that makes a map of ${NANOTRACK_TEMPLATE} a side, such as 127, not of ` +
        `${template[0]}`,
    };
  } else if (scores.some((score) => score < 1)) {
    yield {
      path: neck.enabled ? ["neck", "enabled"] : sizes.path,
      expected: `feature maps large enough for neck and head, but ${backbone.type} makes ` +
        `${template.join(", ")} and ${search.join(", ")} of ${where}` +
        (backbone.type.startsWith("alexnet") ? ", an AlexNet runs without neck" : ""),
    };
  } else if (new Set(scores).size > 1) {
    yield {
      path: ["backbone", "kwargs", "usedLayers"],
      expected: `levels of one size, but they give score maps of ${scores.join(", ")}`,
    };
  } else if (scores[0] !== sizes.scoreSize) {
    yield {
      path: sizes.path,
      expected:
        `sizes that fit the network, which makes a score map of ${scores[0]} of ${where}, ` +
        `not ${sizes.scoreSize}, check baseSize and points.stride`,
    };
  }
}
