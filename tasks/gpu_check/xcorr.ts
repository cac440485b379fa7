/** The depthwise correlation against the bandwidth of memory, and against PyTorch's grouped convolution. */
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D, TensorInfo } from "@tensorflow/tfjs";
import {
  type CudaBackend,
  type DeviceFloors,
  timeRecorded,
  useBackend,
  xcorrDepthwise,
} from "../../mod.ts";
import { XcorrDepthwise } from "../../src/ops/mod.ts";
import type { TorchPeer } from "../bench/torch_peer.ts";
import type { Figure, Scale, Section } from "./section.ts";

/** Sides of search and template maps, and their channels. */
interface Size {
  readonly search: number;
  readonly template: number;
  readonly channels: number;
}

/** Those of the models. */
const SIZES: readonly Size[] = [
  { search: 29, template: 5, channels: 256 },
  { search: 20, template: 4, channels: 256 },
  { search: 31, template: 7, channels: 96 },
];
const REDUCED: readonly Size[] = [{ search: 11, template: 5, channels: 16 }];

type Precision = "float32" | "bf16";
const BYTES: Readonly<Record<Precision, number>> = { float32: 4, bf16: 2 };
/** Maps that are walked over before the first is met again, in caches: then none is in there any more. */
const CACHES = 4;

/** Milliseconds of each pass. */
type Times = Readonly<Record<"forward" | "backward", number>>;

/** Times forward and backward passes. */
export async function checkXcorr(
  scale: Scale,
  { peer, floors }: { readonly peer?: TorchPeer; readonly floors?: DeviceFloors },
): Promise<Omit<Section, "name">> {
  const figures: Figure[] = [];
  for (const precision of ["float32", "bf16"] as const) {
    await using backend = await useBackend(scale.device, { precision });
    for (const size of scale.reduced ? REDUCED : SIZES) {
      const own = timeOwn(backend.cuda!, { size, scale, precision });
      const torch = await timeTorch(peer, { size, scale, precision });
      const name = `${precision}, ${size.search} with ${size.template}, ${size.channels} channels`;
      const moved = bytesOf(size, scale) * BYTES[precision];
      figures.push(...figuresOf(name, { own, torch, moved, floors }));
    }
    backend.cuda!.trim();
  }
  return { status: "ok", detail: `${figures.length} figures`, figures };
}

/** Elements that a pass must read and write once; backward does as much twice. */
function bytesOf({ search, template, channels }: Size, { batch }: Scale): number {
  const out = search - template + 1;
  return batch * channels * (search ** 2 + template ** 2 + out ** 2);
}

interface Trial {
  readonly size: Size;
  readonly scale: Scale;
  readonly precision: Precision;
}

/** Maps of one correlation: inputs, and the gradient of the output. */
interface Maps {
  readonly x: Tensor4D;
  readonly z: Tensor4D;
  readonly dy: Tensor4D;
}

function timeOwn(cuda: CudaBackend, trial: Trial): Times {
  const all = drawMaps(cuda, trial);
  const padding = trial.size.template - 1;
  // What is made stays until all maps were walked over, or it would be made in the cache.
  const time = (run: (maps: Maps) => Tensor4D[]) =>
    timeRecorded(cuda, () => tf.dispose(all.map(run)), 4) / all.length;
  try {
    return {
      forward: time(({ x, z }) => [xcorrDepthwise(x, z)]),
      backward: time(({ x, z, dy }) => [
        XcorrDepthwise.run({ x: dy, z }, { padding, flip: true }),
        XcorrDepthwise.run({ x, z: dy }, { padding: 0, flip: false }),
      ]),
    };
  } finally {
    tf.dispose(all.map((maps) => ({ ...maps })));
  }
}

/** As many sets of maps as no cache of the card holds. */
function drawMaps(cuda: CudaBackend, { size, scale, precision }: Trial): Maps[] {
  const { search, template, channels } = size;
  const draw = (side: number) => {
    const shape = [scale.batch, side, side, channels];
    // Any numbers but zeros will do, and millions of random ones take seconds.
    const values = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => i % 7 - 3);
    return tensorOf(cuda.activation(values, shape));
  };
  const bytes = bytesOf(size, scale) * BYTES[precision];
  const cache = scale.reduced ? bytes : cuda.properties.l2CacheSize;
  const first = { x: draw(search), z: draw(template), dy: draw(search - template + 1) };
  const again = (map: Tensor4D) => tensorOf(cuda.copy(map));
  const others = Math.ceil(CACHES * cache / bytes) - 1;
  return [
    first,
    ...Array.from({ length: others }, () => ({
      x: again(first.x),
      z: again(first.z),
      dy: again(first.dy),
    })),
  ];
}

function tensorOf({ dataId, shape, dtype }: TensorInfo): Tensor4D {
  return tf.engine().makeTensorFromDataId(dataId, shape, dtype) as Tensor4D;
}

async function timeTorch(
  peer: TorchPeer | undefined,
  { size: { search, template, channels }, scale: { batch }, precision }: Trial,
): Promise<Times | undefined> {
  const type = precision === "bf16" ? "bfloat16" : "float32";
  const times = await peer?.run(`correlate ${batch} ${search} ${template} ${channels} ${type} 20`);
  return times && { forward: 1000 * times.forward, backward: 1000 * times.backward };
}

function figuresOf(
  name: string,
  { own, torch, moved, floors }: {
    readonly own: Times;
    readonly torch: Times | undefined;
    /** Bytes of the forward pass. */
    readonly moved: number;
    readonly floors: DeviceFloors | undefined;
  },
): Figure[] {
  return (["forward", "backward"] as const).flatMap((pass) => {
    const figure = { name: `${name}, ${pass}`, value: 1000 * own[pass], unit: "us" };
    const rate = (pass === "forward" ? moved : 2 * moved) / (own[pass] / 1000);
    return [
      floors ? againstCopies(figure, rate / floors.copyBytesPerSecond) : figure,
      ...torch ? [againstTorch(figure, torch[pass] / own[pass])] : [],
    ];
  });
}

function againstCopies(figure: Figure, ratio: number): Figure {
  return {
    ...figure,
    against: { name: "the card's copy bandwidth", ratio },
    goal: { text: "at least 0.85", met: ratio >= 0.85 },
  };
}

function againstTorch(figure: Figure, ratio: number): Figure {
  return {
    ...figure,
    against: { name: "PyTorch's grouped convolution", ratio },
    goal: { text: "3 times as fast", met: ratio >= 3 },
  };
}
