/** Times one frame of tracking: the network beside PyTorch and ONNX Runtime, and all of it. */
import * as tf from "@tensorflow/tfjs";
import { join } from "@std/path";
import {
  BatchNorm2d,
  buildModel,
  buildTracker,
  cornerToLtwh,
  decodeImage,
  encodeJpeg,
  type ExperimentConfig,
  getSubwindow,
  type HostTensor,
  type Image,
  initUniform,
  loadExperiment,
  meanColor,
  modules,
  namedParameters,
  OrderedDict,
  type Response,
  Rng,
  SearchNetwork,
  setTrainable,
  setTraining,
  type SiamBAN,
  stateDict,
  SyntheticVideo,
  writeTorchFile,
} from "../../mod.ts";
import { OnnxPeer } from "./onnx_peer.ts";
import { median, medianRatio, type Row } from "./rows.ts";
import type { TorchPeer } from "./torch_peer.ts";

/** What is timed, and how often. */
export interface TrackingBenchOptions {
  /** Each times some frames of ours and of the others in turn. */
  readonly rounds: number;
  readonly threads: number;
  readonly peer?: TorchPeer;
  /** Those of them that have a tracker are timed. */
  readonly models: readonly { readonly name: string }[];
}

const CONFIGS = new URL("../../configs/", import.meta.url).pathname;
const TRACKERS = [
  { name: "nanotrack_v1", network: "nanotrack_v1", config: "nanotrack_v1.ts", frames: 12 },
  { name: "nanotrack_v2", network: "nanotrack_v2", config: "nanotrack_v2.ts", frames: 12 },
  { name: "nanotrack_v3", network: "nanotrack_v3", config: "nanotrack_v3.ts", frames: 12 },
  { name: "siamban_r50", network: "resnet50", config: "siamban_r50_l234.ts", frames: 4 },
] as const;

type Subject = (typeof TRACKERS)[number];

/** So long threads of a peer may go on looking for work before it is the next one's turn. */
const PAUSE_MS = 20;

/** Answers that differ by more, of the largest, are not those of the same network. */
const TOLERANCE = 1e-3;

/**
 * Times all trackers, with drawn weights that the peers are given too, one after the other.
 *
 * @throws {Error} If a peer answers something else.
 */
export async function* benchTracking(options: TrackingBenchOptions): AsyncGenerator<Row> {
  for (const tracker of TRACKERS) {
    const wanted = options.models.some(({ name }) => name === tracker.network);
    if (wanted) yield await benchTracker(tracker, options);
  }
}

async function benchTracker(
  subject: Subject,
  { rounds, threads, peer }: TrackingBenchOptions,
): Promise<Row> {
  const { config } = await loadExperiment(`${CONFIGS}${subject.config}`);
  using model = buildModel(config);
  initUniform(model, new Rng(1)); // as some heads start, their distances are beyond any float
  setTrainable(model, false);
  calibrate(model);
  using network = new TimedNetwork(model);
  const torch = peer && await giveNetwork(peer, { network, model, subject });
  const runtime = peer ? await openOnnx(peer, { network, threads }) : undefined;
  await using onnx = runtime instanceof OnnxPeer ? runtime : undefined;
  const differences = {
    ...torch ? { "of the largest apart from PyTorch": network.difference(torch) } : {},
    ...onnx ? { "from ONNX Runtime": network.difference(await onnx.answer()) } : {},
  };
  const { frames } = subject;
  const times = await takeTurns({ network, peer, onnx }, { rounds, frames });
  const speed = await timeTracker({ model, config }, rounds * frames);
  return {
    name: `${subject.name}, a frame`,
    unit: "s",
    ours: median(times.ours.medians),
    ...peer
      ? {
        torch: median(times.torch.medians),
        ratio: medianRatio(times.torch.medians, times.ours.medians),
      }
      : {},
    ...onnx
      ? {
        onnx: median(times.onnx.medians),
        onnxRatio: medianRatio(times.onnx.medians, times.ours.medians),
      }
      : {},
    details: {
      ...speed,
      "s the fastest frame": times.ours.least,
      ...peer ? { "s PyTorch's": times.torch.least } : {},
      ...onnx ? { "s ONNX Runtime's": times.onnx.least } : {},
      ...differences,
    },
    ...typeof runtime === "string" ? { note: `without ONNX Runtime: ${runtime}` } : {},
  };
}

/** Seconds of frames: the median of each round, and the least of all. */
interface FrameTimes {
  readonly medians: number[];
  least: number;
}

/** Has each look at some frames, then the next; the first round prepares what lasts and does not count. */
async function takeTurns(
  { network, peer, onnx }: {
    readonly network: TimedNetwork;
    readonly peer?: TorchPeer;
    readonly onnx?: OnnxPeer;
  },
  { rounds, frames }: { readonly rounds: number; readonly frames: number },
): Promise<Record<"ours" | "torch" | "onnx", FrameTimes>> {
  const turns = {
    ours: () => network.frames(frames),
    torch: async () => (await peer?.run(`frames ${frames}`) as Frames)?.seconds,
    onnx: () => onnx?.frames(frames),
  };
  const none = (): FrameTimes => ({ medians: [], least: Infinity });
  const times = { ours: none(), torch: none(), onnx: none() };
  for (let round = -1; round < rounds; round++) {
    for (const [name, run] of Object.entries(turns)) {
      const seconds = await run(), found = times[name as keyof typeof times];
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      if (seconds === undefined || round < 0) continue;
      found.medians.push(median(seconds));
      found.least = Math.min(found.least, ...seconds);
    }
  }
  return times;
}

/** Norms by their names, in the order of the way through the network; the head's last ones are the rest. */
const NORM_GROUPS = [
  /^backbone/,
  /^neck/,
  /conv_(kernel|search)/,
  /^(?!.*(backbone|neck|conv_(kernel|search)))/,
];

/**
 * Gives the norms the statistics of the pictures, as training does: with those of the start, values grow
 * or shrink from layer to layer, and answers say little about the network. One group after the other,
 * because what comes later is to see what the norms in front of it make of their running statistics.
 */
function calibrate(model: SiamBAN): void {
  setTraining(model, false);
  const norms = [...modules(model)].filter((layer) => layer instanceof BatchNorm2d);
  const names = new Map(
    namedParameters(model).map(({ name, parameter }) => [parameter as unknown, name]),
  );
  for (const group of NORM_GROUPS) {
    const open = norms.filter(({ weight }) => group.test(names.get(weight)!));
    for (const norm of open) Object.assign(norm, { training: true, momentum: 1 });
    tf.tidy(() => model.track(model.template(toTensor(picture(127))), toTensor(picture(255))));
    for (const norm of open) norm.training = false;
  }
}

/** Gives PyTorch our weights and pictures; what it answers. */
async function giveNetwork(
  peer: TorchPeer,
  { network, model, subject }: {
    readonly network: TimedNetwork;
    readonly model: SiamBAN;
    readonly subject: Subject;
  },
): Promise<Answer> {
  const path = join(peer.folder, "tracker.pth");
  const state = new OrderedDict(stateDict(model));
  await writeTorchFile(path, { state, template: network.template, search: network.search });
  const answer = await peer.run(`tracker ${subject.network} ${path}`) as unknown as Answer;
  await Deno.remove(path);
  return answer;
}

/** The graph of what PyTorch has built, or why there is none. */
async function openOnnx(
  peer: TorchPeer,
  { network, threads }: { readonly network: TimedNetwork; readonly threads: number },
): Promise<OnnxPeer | string> {
  const path = join(peer.folder, "tracker.onnx");
  try {
    const { features } = await peer.run(`export ${path}`) as unknown as Features;
    const templates = features.map(({ shape, values }, i) => [
      `template${i}`,
      { shape, values: Float32Array.from(values) },
    ]);
    const inputs = { ...Object.fromEntries(templates), search: channelsFirst(network.search) };
    return await OnnxPeer.open(path, { inputs, threads });
  } catch (error) {
    return error instanceof Error ? error.message.split("\n")[0] : String(error);
  }
}

/** Frames a second of the whole tracker: crop, network and choice; and with decoding in front. */
async function timeTracker(
  { model, config }: { readonly model: SiamBAN; readonly config: ExperimentConfig },
  count: number,
): Promise<Record<string, number>> {
  // An untrained network would lead the box away: the window alone decides, and the size stays.
  const tracking = { ...config.tracking, windowInfluence: 1, scaleLr: 0 };
  using tracker = buildTracker(model, { ...config, tracking });
  const { frame, target } = scene();
  const bytes = await encodeJpeg(frame);
  tracker.init(frame, target);
  const seconds: number[] = [], all: number[] = [];
  for (let i = -3; i < count; i++) {
    const start = performance.now();
    const picture = await decodeImage(bytes);
    const decoded = performance.now();
    tracker.track(picture);
    const end = performance.now();
    if (i < 0) continue;
    seconds.push((end - decoded) / 1000);
    all.push((end - start) / 1000);
  }
  return {
    "frames/s with crop and choice": 1 / median(seconds),
    "with decoding of 640 x 480": 1 / median(all),
  };
}

/** Seconds of each frame, where there is PyTorch. */
type Frames = { readonly seconds: number[] } | undefined;

/** What a peer answers, channel by channel. */
interface Answer {
  readonly cls: ArrayLike<number>;
  readonly loc: ArrayLike<number>;
}

/** Template features of PyTorch, channels first. */
interface Features {
  readonly features: readonly { readonly shape: number[]; readonly values: number[] }[];
}

/** The network alone, as the trackers call it. */
class TimedNetwork implements Disposable {
  readonly template = picture(127);
  readonly search = picture(255);
  readonly #network: SearchNetwork;
  readonly #features: readonly tf.Tensor4D[];
  readonly #crop: Image;

  constructor(model: SiamBAN) {
    this.#network = new SearchNetwork(model);
    const template = toTensor(this.template);
    this.#features = model.template(template);
    template.dispose();
    const [, side] = this.search.shape;
    this.#crop = { width: side, height: side, data: Uint8Array.from(this.search.data) };
  }

  /** Seconds of each of some search images, until the values are there. */
  frames(count: number): number[] {
    return Array.from({ length: count }, () => {
      const start = performance.now();
      this.#respond();
      return (performance.now() - start) / 1000;
    });
  }

  /**
   * How far a peer's answer is from ours: of the scores, which are at most 1, or of the largest distance.
   *
   * @throws {Error} If it is so far that it is not the same network.
   */
  difference({ cls, loc }: Answer): number {
    const { scores, distances } = this.#respond();
    const points = scores.length;
    const theirs = scores.map((_, p) => 1 / (1 + Math.exp(cls[p] - cls[points + p])));
    const apart = (own: Float32Array, other: (i: number) => number) =>
      own.reduce((most, value, i) => Math.max(most, Math.abs(value - other(i))), 0) /
      own.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const found = Math.max(
      apart(scores, (p) => theirs[p]),
      apart(distances, (i) => loc[i % 4 * points + Math.floor(i / 4)]),
    );
    if (found < TOLERANCE) return found;
    throw new Error(
      `Cannot compare with a peer: its answer is ${found} of the largest apart, ` +
        `expected less than ${TOLERANCE}`,
    );
  }

  #respond(): Response {
    return this.#network.respond([{ features: this.#features, crop: this.#crop }])[0];
  }

  [Symbol.dispose](): void {
    this.#network[Symbol.dispose]();
    tf.dispose([...this.#features]);
  }
}

/** Pictures as the networks' files and ours take them. */
type Picture = HostTensor & { readonly data: Float32Array<ArrayBuffer> };

/** A drawn frame, and the box of what moves in it. */
function scene() {
  const video = new SyntheticVideo({ seed: 1, width: 640, height: 480, frames: 2 });
  return { frame: video.frame(0), target: cornerToLtwh(video.box(0)) };
}

/** The square of so many pixels around the target, twice as wide as it for 127, as a network takes it. */
function picture(size: number): Picture {
  const { frame, target: { x, y, w, h } } = scene();
  const side = Math.round(2 * Math.max(w, h) * size / 127);
  const centre = { cx: x + w / 2, cy: y + h / 2 };
  const crop = getSubwindow(frame, { ...centre, size, side, border: meanColor(frame) });
  return { dtype: "float32", shape: [1, size, size, 3], data: Float32Array.from(crop.data) };
}

function toTensor({ data, shape: [batch, height, width, channels] }: Picture): tf.Tensor4D {
  return tf.tensor4d(data, [batch, height, width, channels]);
}

function channelsFirst({ data, shape: [, height, width, channels] }: Picture) {
  const pixels = height * width, values = new Float32Array(data.length);
  data.forEach((value, i) => values[i % channels * pixels + Math.floor(i / channels)] = value);
  return { values, shape: [1, channels, height, width] };
}
