import { z } from "zod";
import { type ExperimentConfig, parseDraft, parseReferenceYaml } from "../../config/mod.ts";
import type { Ltwh } from "../../geometry/boxes.ts";
import type { Image } from "../../image/image.ts";
import { readVideo } from "../../image/video.ts";
import { buildModel, type SiamBAN } from "../../models/mod.ts";
import { loadStateDict, setTrainable, setTraining, stateShapes } from "../../nn/mod.ts";
import { cosineWindow } from "../../tracking/select.ts";
import { SiamBANTracker } from "../../tracking/siamban_tracker.ts";
import { type Tracked, trackFrames } from "../../tracking/tracker.ts";
import { type Check, type Deviation, worstOf } from "../check.ts";
import { differenceOf } from "../compare.ts";
import { attempt, defineForm, type GoldenSource, leavesOutSlow, real, reals } from "../form.ts";
import { formulaPixels, formulaStateDict } from "../formula.ts";
import { findMedia } from "./video.ts";

/** Pixels, and probabilities. */
const TOLERANCE = { box: 0.01, score: 1e-4 };

const trackRow = z.object({ frame: real(), bbox_xywh: reals(), best_score: real() });
const trackRun = z.object({
  tag: z.string(),
  backbone: z.string(),
  gain: real(),
  seed: real(),
  in_channels: reals(),
  TRACK: z.record(z.string(), z.unknown()),
  stride: real(),
  /** `formula_u8 <name><i>, <height>x<width>` or `<video> frames <first>..<last>`. */
  frames: z.string(),
  init_box_xywh: reals(),
  rows: z.array(trackRow),
});
type TrackRun = z.infer<typeof trackRun>;

const content = z.object({
  runs: z.array(trackRun),
  hanning: z.object({ size: real(), values: reals() }).optional(),
});
type Source = GoldenSource<z.infer<typeof content>>;

/** The SiamBAN tracker with formula weights. */
export const siambanTrackForm = defineForm({
  section: "tracks",
  content,
  async *compare(source) {
    const { content: { runs, hanning }, options } = source;
    if (hanning) yield checkWindow(hanning.size, hanning.values);
    for (const run of runs) {
      const name = `track ${run.tag}`;
      if (leavesOutSlow(options)) {
        yield { name, reason: "this backend takes minutes for it, add --slow" };
        continue;
      }
      const frames = await framesOf(run, source);
      if (typeof frames === "string") yield { name, reason: frames };
      else yield* attempt(name, () => checkRun(name, run, frames));
    }
  },
});

function checkWindow(size: number, values: readonly number[]): Check {
  const window = cosineWindow(size);
  const expected = values.length === size
    ? values.flatMap((a) => values.map((b) => a * b))
    : values;
  const { most: error } = differenceOf(window, expected);
  return worstOf("hanning", [{ item: `${size} x ${size}`, error, tolerance: 1e-12 }]);
}

/** The frames of a run, or why there are none. */
async function framesOf(
  { frames, seed }: TrackRun,
  source: Source,
): Promise<AsyncIterable<Image> | Iterable<Image> | string> {
  const [, name, height, width] = /^formula_u8 (\S+)<i>, (\d+)x(\d+)$/.exec(frames) ?? [];
  if (name) return formulaFrames(name, { height: Number(height), width: Number(width), seed });
  const [, file, first] = /^(\S+) frames (\d+)\.\.\d+$/.exec(frames) ?? [];
  if (!file) return `its frames are not known: ${frames}`;
  const path = await findMedia(file, source);
  return path
    ? framesFrom(path, Number(first))
    : `${file} is not found, name its folder with --media`;
}

function* formulaFrames(
  name: string,
  size: { readonly height: number; readonly width: number; readonly seed: number },
): Generator<Image> {
  for (let i = 0;; i++) yield { ...size, data: formulaPixels(`${name}${i}`, size) };
}

async function* framesFrom(path: string, first: number): AsyncGenerator<Image> {
  let index = 0;
  for await (const frame of readVideo(path)) if (index++ >= first) yield frame;
}

async function checkRun(
  name: string,
  run: TrackRun,
  frames: AsyncIterable<Image> | Iterable<Image>,
): Promise<Check> {
  const config = configOf(run);
  using model = modelOf(run, config);
  const { exemplarSize, searchSize, baseSize } = config.tracking;
  const { stride } = config.points;
  using tracker = new SiamBANTracker(model, {
    ...config.tracking,
    stride,
    scoreSize: Math.floor((searchSize - exemplarSize) / stride) + 1 + baseSize,
  });
  const rows = new Map(run.rows.map((row) => [row.frame, row]));
  const last = Math.max(...rows.keys());
  const deviations: Deviation[] = [];
  let index = 0;
  for await (const { box, score } of trackFrames(tracker, frames, toLtwh(run.init_box_xywh))) {
    const row = rows.get(index);
    if (row && index > 0) deviations.push(...rowDeviations(row, { box, score }));
    if (index++ === last) break;
  }
  const missing = Math.max(0, last + 1 - index);
  deviations.push({ item: "frames that are missing", error: missing, tolerance: 0 });
  return worstOf(name, deviations);
}

function* rowDeviations(
  { frame, bbox_xywh, best_score }: z.infer<typeof trackRow>,
  { box: { x, y, w, h }, score }: Tracked,
): Generator<Deviation> {
  const { most: error } = differenceOf([x, y, w, h], bbox_xywh);
  yield { item: `box of frame ${frame}`, error, tolerance: TOLERANCE.box };
  const { most } = differenceOf([score], [best_score]);
  yield { item: `score of frame ${frame}`, error: most, tolerance: TOLERANCE.score };
}

/** A run names only backbone and channels: the rest is as in the published configuration. */
function configOf({ tag, backbone, in_channels, TRACK, stride }: TrackRun): ExperimentConfig {
  const yaml = {
    BACKBONE: { TYPE: backbone },
    ADJUST: { ADJUST: true, TYPE: "AdjustAllLayer", KWARGS: { in_channels } },
    BAN: { BAN: true, TYPE: "MultiBAN", KWARGS: { weighted: true } },
    POINT: { STRIDE: stride },
    TRACK,
  };
  // JSON is YAML.
  return parseDraft(parseReferenceYaml(JSON.stringify(yaml), tag), { checkSizes: false });
}

function modelOf({ gain, seed }: TrackRun, config: ExperimentConfig): SiamBAN {
  const model = buildModel(config);
  loadStateDict(model, formulaStateDict(stateShapes(model), { gain, seed }));
  setTraining(model, false);
  setTrainable(model, false);
  return model;
}

function toLtwh([x, y, w, h]: readonly number[]): Ltwh {
  return { x, y, w, h };
}
