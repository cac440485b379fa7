/** Times one frame of tracking: the network beside PyTorch and ONNX Runtime, and all of it. */
import * as tf from "@tensorflow/tfjs";
import { join } from "@std/path";
import {
  buildModel,
  buildTracker,
  createImage,
  type Image,
  loadExperiment,
  Rng,
  SearchNetwork,
  setTrainable,
  setTraining,
  type SiamBAN,
} from "../../mod.ts";
import { OnnxPeer } from "./onnx_peer.ts";
import type { TorchPeer } from "./torch_peer.ts";

/** Seconds of a frame, the least of all rounds: other programs can only add to it. */
export interface TrackingTimes {
  readonly name: string;
  /** Of the network: a search image to scores and distances. */
  readonly network: number;
  /** Of the whole tracker on a frame of 640 x 480: crop, network, choice. */
  readonly frame: number;
  readonly torch?: number;
  readonly onnx?: number;
  /** Why ONNX Runtime is not beside it. */
  readonly without?: string;
}

/** What is timed, and how often. */
export interface TrackingBenchOptions {
  readonly rounds: number;
  readonly threads: number;
  readonly peer?: TorchPeer;
}

const CONFIGS = new URL("../../configs/", import.meta.url).pathname;
const TRACKERS = [
  { name: "nanotrack_v1", config: "nanotrack_v1.ts", onnx: true },
  { name: "nanotrack_v2", config: "nanotrack_v2.ts", onnx: true },
  { name: "nanotrack_v3", config: "nanotrack_v3.ts", onnx: true },
  { name: "siamban_r50", config: "siamban_r50_l234.ts", onnx: false },
] as const;

/** Times all trackers with random weights, one after the other, ours and the others in turn. */
export async function* benchTracking(options: TrackingBenchOptions): AsyncGenerator<TrackingTimes> {
  for (const tracker of TRACKERS) yield await benchTracker(tracker, options);
}

async function benchTracker(
  { name, config: file, onnx }: (typeof TRACKERS)[number],
  { rounds, threads, peer }: TrackingBenchOptions,
): Promise<TrackingTimes> {
  const { config } = await loadExperiment(`${CONFIGS}${file}`);
  using model = buildModel(config, new Rng(1));
  setTraining(model, false);
  setTrainable(model, false);
  using tracker = buildTracker(model, config);
  const frame = createImage(640, 480);
  frame.data.forEach((_, i) => frame.data[i] = (i * 2654435761) >>> 24);
  tracker.init(frame, { x: 300, y: 200, w: 60, h: 50 });
  using network = new Network(model);
  await peer?.run(`tracker ${name}`);
  const beside = peer && onnx ? await openOnnx(peer, threads) : undefined;
  await using runtime = typeof beside === "object" ? beside : undefined;
  const least = { network: Infinity, frame: Infinity, torch: Infinity, onnx: Infinity };
  for (let round = 0; round < rounds + 2; round++) {
    const times = {
      network: network.frame(),
      torch: (await peer?.run("frame"))?.seconds,
      onnx: await runtime?.frame(),
      frame: secondsOf(() => tracker.track(frame)),
    };
    for (const [key, value] of Object.entries(times)) {
      const part = key as keyof typeof least;
      if (value !== undefined && round >= 2) least[part] = Math.min(least[part], value);
    }
  }
  return {
    name,
    network: least.network,
    frame: least.frame,
    ...peer ? { torch: least.torch } : {},
    ...runtime ? { onnx: least.onnx } : {},
    ...typeof beside === "string" ? { without: beside } : {},
  };
}

/** A graph of what PyTorch has built, or why there is none. */
async function openOnnx(peer: TorchPeer, threads: number): Promise<OnnxPeer | string> {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, "tracker.onnx");
    const { inputs } = await peer.run(`export ${path}`) as unknown as { inputs: number[] };
    return await OnnxPeer.open(path, { template: inputs, threads });
  } catch (error) {
    return error instanceof Error ? error.message.split("\n")[0] : String(error);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** The network alone, as the trackers call it. */
class Network implements Disposable {
  readonly #network: SearchNetwork;
  readonly #features: readonly tf.Tensor4D[];
  readonly #crop = noise(255);

  constructor(model: SiamBAN) {
    this.#network = new SearchNetwork(model);
    const { width, height, data } = noise(127);
    const template = tf.tensor4d(Float32Array.from(data), [1, height, width, 3]);
    this.#features = model.template(template);
    template.dispose();
  }

  /** Seconds of one search image, until the values are there. */
  frame(): number {
    return secondsOf(() => this.#network.respond([{ features: this.#features, crop: this.#crop }]));
  }

  [Symbol.dispose](): void {
    this.#network[Symbol.dispose]();
    tf.dispose([...this.#features]);
  }
}

function noise(side: number): Image {
  const image = createImage(side, side);
  image.data.forEach((_, i) => image.data[i] = (i * 2654435761) >>> 24);
  return image;
}

function secondsOf(run: () => unknown): number {
  const start = performance.now();
  run();
  return (performance.now() - start) / 1000;
}
