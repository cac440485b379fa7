/** Fills in what depends on other settings. */
import { type DatasetSet, FURTHER_SET_DEFAULTS, STANDARD_SETS } from "./dataset_schema.ts";
import {
  featureChannels,
  featureSizes,
  isNanoTrack,
  layerNames,
  nanotrackScoreSize,
} from "./feature_maps.ts";
import type { OpenExperiment } from "./schema.ts";

/**
 * Completes an experiment: data sets, base sizes, trainable layers and channels that were left out.
 *
 * @param open An experiment that the schema has accepted.
 * @returns The same experiment without open settings; whether they fit is `findContradictions()`'s.
 */
export function complete(open: OpenExperiment) {
  const baseSize = nanotrackBaseSize(open, open.training) ??
    open.training.baseSize ?? open.tracking.baseSize ?? 8;
  const channels = featureChannels(open.backbone);
  const neck = isNanoTrack(open.head)
    ? nanotrackNeck(open.neck, open.head.type === "NanoTrackV3" ? 96 : 64)
    : completeNeck(open.neck, channels);
  const delivered = neck.enabled ? [neck.kwargs.outChannels].flat() : channels;
  return {
    ...open,
    training: {
      ...open.training,
      baseSize,
      // (255 - 127) / 8 + 1 + baseSize. Sizes that differ from the reference's must be written.
      scoreSize: open.training.scoreSize ??
        (isNanoTrack(open.head) ? gridSize(open, open.training) : 17) + baseSize,
    },
    dataset: { ...open.dataset, sets: completeSets(open.dataset.sets) },
    backbone: {
      ...open.backbone,
      trainLayers: open.backbone.trainLayers ?? defaultTrainLayers(open.backbone),
    },
    neck,
    head: completeHead(open.head, delivered),
    tracking: {
      ...open.tracking,
      baseSize: nanotrackBaseSize(open, open.tracking) ?? open.tracking.baseSize ?? baseSize,
    },
  };
}

type ImageSizes = { readonly exemplarSize: number; readonly searchSize: number };

/** Points a side without padding: those of a template that slides inside of the search image. */
function gridSize({ points }: OpenExperiment, { exemplarSize, searchSize }: ImageSizes): number {
  return Math.floor((searchSize - exemplarSize) / points.stride) + 1;
}

/**
 * What padding adds to a NanoTrack's score map, which follows from the network alone.
 *
 * Parity: the published files say 7 for all three; in V3, whose map is 15 wide, that is not so, and
 * nothing reads it.
 */
function nanotrackBaseSize(open: OpenExperiment, sizes: ImageSizes): number | undefined {
  const { head, backbone } = open;
  if (!isNanoTrack(head)) return undefined;
  const [search] = featureSizes(backbone, sizes.searchSize);
  return Math.max(0, nanotrackScoreSize(head.type, search) - gridSize(open, sizes));
}

/** A NanoTrack's neck is never applied, only saved: one level, with the channels of the published files. */
function nanotrackNeck(neck: OpenExperiment["neck"], channels: number) {
  const kwargs = neck.type === "AdjustLayer" ? neck.kwargs : {};
  const { inChannels = channels, outChannels = channels } = kwargs;
  return {
    type: "AdjustLayer" as const,
    enabled: neck.enabled,
    kwargs: { inChannels, outChannels },
  };
}

function defaultTrainLayers(backbone: OpenExperiment["backbone"]): string[] {
  const built = layerNames(backbone);
  if (built[0] === "features") return built;
  return ["layer2", "layer3", "layer4"].filter((layer) => built.includes(layer));
}

function completeSets(sets: OpenExperiment["dataset"]["sets"]): Record<string, DatasetSet> {
  const further = Object.keys(sets).filter((name) => !Object.hasOwn(STANDARD_SETS, name));
  return Object.fromEntries([...Object.keys(STANDARD_SETS), ...further].map((name) => {
    const base = Object.hasOwn(STANDARD_SETS, name)
      ? STANDARD_SETS[name]
      : { root: "", anno: "", ...FURTHER_SET_DEFAULTS };
    const given = Object.entries(sets[name] ?? {}).filter(([, value]) => value !== undefined);
    return [name, { ...base, ...Object.fromEntries(given) }];
  }));
}

function completeNeck(neck: OpenExperiment["neck"], channels: readonly number[]) {
  if (neck.type === "AdjustLayer") {
    const inChannels = neck.kwargs.inChannels ?? channels[0];
    return { ...neck, kwargs: { inChannels, outChannels: neck.kwargs.outChannels ?? 256 } };
  }
  const inChannels = neck.kwargs.inChannels ?? [...channels];
  const outChannels = neck.kwargs.outChannels ?? inChannels.map(() => 256);
  return { ...neck, kwargs: { ...neck.kwargs, inChannels, outChannels } };
}

function completeHead(head: OpenExperiment["head"], delivered: readonly number[]) {
  switch (head.type) {
    case "UPChannelBAN": {
      const featureIn = head.kwargs.featureIn ?? delivered[0];
      return { ...head, kwargs: { ...head.kwargs, featureIn } };
    }
    case "DepthwiseBAN": {
      const inChannels = head.kwargs.inChannels ?? delivered[0];
      return { ...head, kwargs: { ...head.kwargs, inChannels } };
    }
    case "MultiBAN": {
      const inChannels = head.kwargs.inChannels ?? [...delivered];
      return { ...head, kwargs: { ...head.kwargs, inChannels } };
    }
    default:
      return head;
  }
}
