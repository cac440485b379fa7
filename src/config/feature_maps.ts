/** What each backbone delivers: channels, map sizes and the names of its layers. */

/** The part of a backbone's settings that decides its features. */
export type BackboneShape =
  | { readonly type: "alexnetlegacy" | "alexnet"; readonly kwargs: { readonly widthMult: number } }
  | {
    readonly type: "mobilenetv2";
    readonly kwargs: { readonly widthMult: number; readonly usedLayers: readonly number[] };
  }
  | { readonly type: "mobilenetv3_small" | "mobilenetv3_small_v3"; readonly kwargs: object }
  | {
    readonly type: "resnet18" | "resnet34" | "resnet50";
    readonly kwargs: { readonly usedLayers: readonly number[] };
  };

/** Side of a map after a convolution or pooling. */
function shrink(size: number, kernel: number, stride: number, padding = 0): number {
  return Math.floor((size + 2 * padding - kernel) / stride) + 1;
}

const MOBILENET_CHANNELS = [32, 16, 24, 32, 64, 96, 160, 320];
const RESNET_CHANNELS = [64, 64, 128, 256, 512];

/**
 * Channels of each level that the backbone delivers, in the order of `usedLayers`.
 *
 * @returns One number a level; AlexNets have one level.
 */
export function featureChannels(backbone: BackboneShape): number[] {
  const { type, kwargs } = backbone;
  switch (type) {
    case "alexnetlegacy":
    case "alexnet":
      return [Math.trunc(256 * kwargs.widthMult)];
    case "mobilenetv2":
      return kwargs.usedLayers.map((i) => Math.trunc(MOBILENET_CHANNELS[i] * kwargs.widthMult));
    case "mobilenetv3_small":
      return [48];
    case "mobilenetv3_small_v3":
      return [96];
    case "resnet18":
    case "resnet34":
      return kwargs.usedLayers.map((i) => RESNET_CHANNELS[i]);
    case "resnet50": // a bottleneck widens fourfold, the stem does not
      return kwargs.usedLayers.map((i) => RESNET_CHANNELS[i] * (i === 0 ? 1 : 4));
  }
}

/**
 * Side of each level's feature map for an image of side `imageSize` pixels.
 *
 * @returns One number a level: 15 for a template of 127, 31 for a search image of 255 (SiamBAN).
 */
export function featureSizes(backbone: BackboneShape, imageSize: number): number[] {
  const { type, kwargs } = backbone;
  switch (type) {
    case "alexnetlegacy":
    case "alexnet": {
      const first = shrink(shrink(imageSize, 11, 2), 3, 2);
      const second = shrink(shrink(first, 5, 1), 3, 2);
      return [second - 3 * 2]; // three 3x3 convolutions
    }
    case "mobilenetv2": {
      const stem = shrink(imageSize, 3, 2);
      const layer2 = shrink(stem, 3, 2);
      const sizes = [stem, stem, layer2, shrink(layer2, 3, 2)]; // dilated from layer 4 on
      return kwargs.usedLayers.map((i) => sizes[Math.min(i, 3)]);
    }
    case "mobilenetv3_small":
    case "mobilenetv3_small_v3": {
      const third = shrink(shrink(shrink(imageSize, 3, 2, 1), 3, 2, 1), 3, 2, 1);
      return [shrink(third, 5, 2, 2)];
    }
    default: {
      const stem = shrink(imageSize, 7, 2);
      const layer1 = shrink(stem, 3, 2, 1);
      const sizes = [stem, layer1, shrink(layer1, 3, 2)]; // dilated from layer 3 on
      return kwargs.usedLayers.map((i) => sizes[Math.min(i, 2)]);
    }
  }
}

/** Names of the children that have weights and may stand in `trainLayers`. */
export function layerNames(backbone: BackboneShape): string[] {
  const { type, kwargs } = backbone;
  const numbered = (first: number, last: number) =>
    Array.from({ length: last - first + 1 }, (_, i) => `layer${first + i}`);
  switch (type) {
    case "alexnetlegacy":
    case "mobilenetv3_small":
    case "mobilenetv3_small_v3":
      return ["features"];
    case "alexnet":
      return numbered(1, 5);
    case "mobilenetv2":
      return numbered(0, 7);
    default: // stages 3 and 4 are only built where they are used (resnet_atrous.py)
      return ["conv1", "bn1", ...numbered(1, Math.max(2, ...kwargs.usedLayers))];
  }
}

/**
 * Side of the score map that neck and head make of a template and a search map.
 *
 * @param options Sides of the two maps, and whether a neck crops the centre of narrow ones.
 * @returns The side, 25 for SiamBAN; zero or less where the maps are too small.
 */
export function scoreMapSize(
  options: { readonly template: number; readonly search: number; readonly neck: boolean },
): number {
  // Parity: the neck crops every map narrower than 20 to [4, 11), whatever its size (neck.py).
  const crop = (size: number) => !options.neck || size >= 20 ? size : Math.min(size, 11) - 4;
  // Both branches of the head go through a 3x3 convolution without padding first.
  const template = crop(options.template) - 2;
  const search = crop(options.search) - 2;
  return template < 1 ? 0 : search - template + 1;
}

/** The three heads of NanoTrack. */
export type NanoTrackHeadType = "NanoTrackV1" | "NanoTrackV2" | "NanoTrackV3";

/** The backbone that each head of NanoTrack stands on. */
export const NANOTRACK_BACKBONES = {
  NanoTrackV1: "mobilenetv3_small",
  NanoTrackV2: "mobilenetv3_small",
  NanoTrackV3: "mobilenetv3_small_v3",
} as const satisfies Record<NanoTrackHeadType, BackboneShape["type"]>;

/** Whether a head is one of NanoTrack's. */
export function isNanoTrack<T extends { readonly type: string }>(
  head: T,
): head is Extract<T, { readonly type: NanoTrackHeadType }> {
  return Object.hasOwn(NANOTRACK_BACKBONES, head.type);
}

/** Side of the template's map for which NanoTrack's attention is made: it has 8 x 8 channels. */
export const NANOTRACK_TEMPLATE = 8;

/** Side of the score map of a NanoTrack head on a search map of side `search`. */
export function nanotrackScoreSize(type: NanoTrackHeadType, search: number): number {
  return type === "NanoTrackV3" ? search - 1 : search; // V3 correlates with 4 x 4, padded by 1
}
