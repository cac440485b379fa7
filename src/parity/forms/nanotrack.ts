import { z } from "zod";
import { parseExperiment } from "../../config/mod.ts";
import { iou, type Ltwh, ltwhToCorner } from "../../geometry/boxes.ts";
import type { Image } from "../../image/image.ts";
import { readFrames } from "../../image/frames.ts";
import { buildModel, type SiamBAN } from "../../models/mod.ts";
import { loadStateDict, setTrainable, setTraining, stateShapes } from "../../nn/mod.ts";
import { SiamBANTracker } from "../../tracking/siamban_tracker.ts";
import { trackFrames } from "../../tracking/tracker.ts";
import { findStateDict, readWeights, selectTensors } from "../../weights/mod.ts";
import { type Check, checkEqual, type Deviation, worstOf } from "../check.ts";
import { differenceOf } from "../compare.ts";
import { attempt, defineForm, type GoldenSource, leavesOutSlow, real, reals } from "../form.ts";
import { GoldenTensors, tidied } from "../golden_tensors.ts";
import { findMedia } from "./video.ts";

/** Overlap of each box with the golden one, and of all on average; scores; the network's outputs. */
const LEAST = { iou: 0.9, meanIou: 0.99 };
const TOLERANCE = { score: 1e-3, network: 1e-4 };
const HEADS = { 1: "NanoTrackV1", 2: "NanoTrackV2", 3: "NanoTrackV3" } as const;

const track = { boxes_xywh: z.array(reals()), scores: z.array(real().nullable()) };
const content = z.object({
  version: z.literal([1, 2, 3]),
  config: z.object({
    TRACK: z.object({
      TYPE: z.literal("NanoTracker"),
      PENALTY_K: real(),
      WINDOW_INFLUENCE: real(),
      LR: real(),
    }),
  }),
  state_dict: z.array(z.tuple([z.string(), reals(), z.string()])),
  init_box_xywh: reals(),
  ...track,
  jpeg_frames: z.object(track).optional(),
});
type Content = z.infer<typeof content>;
type Track = Pick<Content, "boxes_xywh" | "scores">;

/** NanoTrack with its published weights: names, one step of the network, boxes on a video. */
export const nanotrackForm = defineForm({
  section: "tracks",
  content,
  async *compare(source) {
    const { path, content, folder, options } = source;
    const [, stem, video] = /([^/]*)_([^/_]*)\.json$/.exec(path) ?? [];
    const firstStep = path.replace(/_[^_/]*\.json$/, "_first_step.safetensors");
    folder.use(firstStep);
    const weights = stem && await findMedia(`weights/${stem}.pth`, source);
    if (!weights) {
      yield {
        name: path,
        reason: `weights/${stem}.pth is not found, name its folder with --media`,
      };
      return;
    }
    using model = await modelOf(content, weights);
    yield checkEqual(`${path} state dict`, namesOf(model), content.state_dict.map(nameOf));
    if (folder.has(firstStep)) {
      const tensors = new GoldenTensors(
        await folder.tensorsBeside(firstStep.replace(/\.[^.]*$/, ".json")),
      );
      yield* attempt(`${path} first step`, () => tidied(() => checkStep(path, model, tensors)));
    }
    if (leavesOutSlow(options)) {
      yield { name: path, reason: "this backend takes minutes for it, add --slow" };
      return;
    }
    for (
      const { name, media, golden } of [
        { name: `${path} video`, media: `${video}.avi`, golden: content },
        { name: `${path} pictures`, media: `${video}/color`, golden: content.jpeg_frames },
      ]
    ) {
      if (!golden) continue;
      const frames = await findMedia(media, source) ??
        await findMedia(`${media}/00000001.jpg`, source);
      if (!frames) yield { name, reason: `${media} is not found, name its folder with --media` };
      else yield* attempt(name, () => checkTrack(name, { model, golden, source, frames }));
    }
  },
});

function configOf({ version, config: { TRACK } }: Content) {
  return parseExperiment({
    backbone: { type: version === 3 ? "mobilenetv3_small_v3" : "mobilenetv3_small" },
    neck: { type: "AdjustLayer" },
    head: { type: HEADS[version] },
    points: { stride: 16 },
    tracking: {
      penaltyK: TRACK.PENALTY_K,
      windowInfluence: TRACK.WINDOW_INFLUENCE,
      scaleLr: TRACK.LR,
    },
  });
}

async function modelOf(content: Content, weights: string): Promise<SiamBAN> {
  const model = buildModel(configOf(content));
  const { tensors } = selectTensors(findStateDict(await readWeights(weights)), stateShapes(model));
  loadStateDict(model, tensors);
  setTraining(model, false);
  setTrainable(model, false);
  return model;
}

const nameOf = ([name, shape]: readonly [string, readonly number[], ...unknown[]]) =>
  `${name} [${shape}]`;
const namesOf = (model: SiamBAN) =>
  [...stateShapes(model)].map(([name, shape]) => nameOf([name, shape]));

function checkStep(path: string, model: SiamBAN, golden: GoldenTensors): Check {
  const z = golden.channelsLast("z_crop"), x = golden.channelsLast("x_crop");
  const [template] = model.backbone.forward(z);
  const { cls, loc } = model.track(model.template(z), x);
  const found = { template_feature: template, cls, loc };
  return worstOf(
    `${path} first step`,
    Object.entries(found).map(([item, tensor]): Deviation => {
      const expected = golden.channelsLast(item).dataSync<"float32">();
      const { most } = differenceOf(tensor.dataSync(), expected);
      const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      return { item, error: most / largest, tolerance: TOLERANCE.network };
    }),
  );
}

async function checkTrack(
  name: string,
  { model, golden, source: { content }, frames }: {
    readonly model: SiamBAN;
    readonly golden: Track;
    readonly source: GoldenSource<Content>;
    readonly frames: string;
  },
): Promise<Check> {
  const { tracking, points, training: { scoreSize } } = configOf(content);
  using tracker = new SiamBANTracker(model, { ...tracking, scoreSize, stride: points.stride });
  const deviations: Deviation[] = [];
  const expected = golden.boxes_xywh.map(toLtwh);
  let index = 0, sum = 0;
  const images: AsyncIterable<Image> = readFrames(frames.replace(/\/00000001\.jpg$/, ""));
  for await (const { box, score } of trackFrames(tracker, images, toLtwh(content.init_box_xywh))) {
    if (index >= expected.length) break;
    const overlap = iou(ltwhToCorner(box), ltwhToCorner(expected[index]));
    sum += overlap;
    const item = `frame ${index}`;
    deviations.push({ item: `box of ${item}`, error: 1 - overlap, tolerance: 1 - LEAST.iou });
    const error = Math.abs(score - (golden.scores[index] ?? score));
    deviations.push({ item: `score of ${item}`, error, tolerance: TOLERANCE.score });
    index++;
  }
  const error = 1 - sum / expected.length;
  deviations.push({ item: "mean over all frames", error, tolerance: 1 - LEAST.meanIou });
  return worstOf(name, deviations);
}

function toLtwh([x, y, w, h]: readonly number[]): Ltwh {
  return { x, y, w, h };
}
