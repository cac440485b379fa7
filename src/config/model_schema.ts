/** Backbone, neck, head and point grid (siamban/models, siamban/core/config.py). */
import { z } from "zod";
import { flag, list, oneOfTypes, real, section, text, whole } from "./fields.ts";

const backboneCommon = {
  /** Weights of the backbone alone, read before training; empty for none. */
  pretrained: text().default(""),
  /** Children of the backbone that train from `trainEpoch` on; default layer2, layer3, layer4. */
  trainLayers: z.array(text(), { error: "a list of layer names" }).optional(),
  /** Learning rate of these layers as a multiple of `training.baseLr`. */
  layersLr: real({ min: 0 }).default(0.1),
  /** First epoch, counted from 0, in which the backbone trains. */
  trainEpoch: whole({ min: 0 }).default(10),
};

const alexnetKwargs = section({
  /** Multiplies the channels of every layer. */
  widthMult: real({ above: 0 }).default(1),
}).prefault({});

const mobilenetKwargs = section({
  /** Multiplies the channels of every layer. */
  widthMult: real({ above: 0 }).default(1),
  /** Layers whose outputs go to the neck, 0 to 7. */
  usedLayers: list(whole({ min: 0, max: 7 }), "layer numbers, 0 to 7,").default([3, 5, 7]),
}).prefault({});

const resnetKwargs = section({
  /** Layers whose outputs go to the neck; 0 is the stem, 4 the last stage. */
  usedLayers: list(whole({ min: 0, max: 4 }), "layer numbers, 0 to 4,").default([2, 3, 4]),
}).prefault({});

/** NanoTrack's cuts of MobileNetV3-small have one output. */
const mobilenetV3Kwargs = section({
  /** Without effect; taken because NanoTrack's files have it. */
  usedLayers: list(whole({ min: 0 }), "layer numbers").default([4]),
}).prefault({});

/** The features: one variant per network. */
export const backboneSchema = oneOfTypes([
  section({ type: z.literal("alexnetlegacy"), kwargs: alexnetKwargs, ...backboneCommon }),
  section({ type: z.literal("alexnet"), kwargs: alexnetKwargs, ...backboneCommon }),
  section({ type: z.literal("mobilenetv2"), kwargs: mobilenetKwargs, ...backboneCommon }),
  section({
    type: z.literal("mobilenetv3_small"),
    kwargs: mobilenetV3Kwargs,
    ...backboneCommon,
  }),
  section({
    type: z.literal("mobilenetv3_small_v3"),
    kwargs: mobilenetV3Kwargs,
    ...backboneCommon,
  }),
  section({ type: z.literal("resnet18"), kwargs: resnetKwargs, ...backboneCommon }),
  section({ type: z.literal("resnet34"), kwargs: resnetKwargs, ...backboneCommon }),
  section({
    // Parity: siamban/core/config.py says "res50", a name that its own table of backbones lacks.
    type: z.literal("resnet50").optional().default("resnet50"),
    kwargs: resnetKwargs,
    ...backboneCommon,
  }),
]).prefault({});

const channels = () => whole({ min: 1 });
const channelList = () => list(channels(), "channel counts, one a level,");

const neckCommon = {
  /** Whether there is a neck at all. */
  enabled: flag().default(true),
};

/** The 1x1 convolution and centre crop between backbone and head. Channels default to what fits. */
export const neckSchema = oneOfTypes([
  section({
    type: z.literal("AdjustLayer"),
    kwargs: section({
      inChannels: channels().optional(),
      /** Default 256, in a NanoTrack as many as come in. */
      outChannels: channels().optional(),
    }).prefault({}),
    ...neckCommon,
  }),
  section({
    type: z.literal("AdjustAllLayer").optional().default("AdjustAllLayer"),
    kwargs: section({
      inChannels: channelList().optional(),
      outChannels: channelList().optional(),
    }).prefault({}),
    ...neckCommon,
  }),
]).prefault({});

const clsOutChannels = () =>
  z.literal([1, 2], { error: "1 (sigmoid, tracking only) or 2 (softmax)" }).default(2);

const headCommon = {
  // Parity: siamban/core/config.py has False, which builds a model that can neither train nor track.
  /** Always true: a SiamBAN without its head is no tracker. */
  enabled: z.literal(true, { error: "true, the head is what makes a tracker" }).default(true),
};

/** The heads of NanoTrack have fixed channels. */
const nanotrackHead = <const T extends string>(type: T) =>
  section({
    type: z.literal(type),
    kwargs: section({
      /** Without effect; taken because NanoTrack's files have it. */
      inChannels: channels().optional(),
      /** Without effect, too. */
      outChannels: channels().optional(),
      /** Whether the weights decide between V1 and V2, which NanoTrack's files do not tell apart. */
      byWeights: flag().default(false),
    }).prefault({}),
    ...headCommon,
  });

/** The box-adaptive head. Input channels default to what the neck or the backbone delivers. */
export const headSchema = oneOfTypes([
  section({
    type: z.literal("UPChannelBAN"),
    kwargs: section({
      featureIn: channels().optional(),
      clsOutChannels: clsOutChannels(),
    }).prefault({}),
    ...headCommon,
  }),
  section({
    type: z.literal("DepthwiseBAN"),
    kwargs: section({
      inChannels: channels().optional(),
      outChannels: channels().default(256),
      clsOutChannels: clsOutChannels(),
      /** Without effect in a head of one level; taken because the reference takes it. */
      weighted: flag().default(false),
    }).prefault({}),
    ...headCommon,
  }),
  section({
    type: z.literal("MultiBAN").optional().default("MultiBAN"),
    kwargs: section({
      inChannels: channelList().optional(),
      clsOutChannels: clsOutChannels(),
      /** Whether levels are summed with learned weights; otherwise they are averaged. */
      weighted: flag().default(false),
    }).prefault({}),
    ...headCommon,
  }),
  nanotrackHead("NanoTrackV1"),
  nanotrackHead("NanoTrackV2"),
  nanotrackHead("NanoTrackV3"),
]).prefault({});

/** The grid of points that the head classifies. */
export const pointsSchema = section({
  /** Distance of neighbouring points in pixels of the search image. */
  stride: whole({ min: 1 }).default(8),
}).prefault({});
