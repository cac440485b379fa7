/**
 * Weights and images without files: every value is a hash of its name and index, the same bit for bit
 * wherever it is computed. Two implementations that start from them can be compared number by number.
 *
 * @module
 */
import { elementCount, type HostTensor, hostTensor, type StateDict } from "../weights/mod.ts";

/** 32-bit FNV-1a hash of a name's UTF-8 bytes (draft-eastlake-fnv). */
export function fnv1a(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** The sequence of a name: a function from an index to 32 random bits. */
export function mixer(name: string, seed: number): (index: number) => number {
  const start = fnv1a(name) ^ seed;
  return (index) => {
    let x = (Math.imul(index, 0x9e3779b1) + start) >>> 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b); // the finaliser of MurmurHash3
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    return (x ^ (x >>> 16)) >>> 0;
  };
}

/** The sequence of a name as uniform numbers in [0, 1), exact multiples of 2^-24. */
export function uniform(name: string, seed: number): (index: number) => number {
  const mix = mixer(name, seed);
  return (index) => (mix(index) >>> 8) / 2 ** 24;
}

/** A key of a state dict, and what decides its values. */
export interface FormulaEntry {
  readonly name: string;
  /** In PyTorch's layout. */
  readonly shape: readonly number[];
  readonly gain: number;
  readonly seed: number;
  /** Whether the state dict also has this key's `running_mean`: then a `bias` is a norm's shift. */
  readonly normed: boolean;
}

/** One tensor of {@linkcode formulaStateDict}. */
export function formulaTensor(entry: FormulaEntry): HostTensor {
  const { name, shape, seed } = entry;
  if (leafOf(name) === "num_batches_tracked") {
    return hostTensor("int64", shape, new BigInt64Array(elementCount(shape)));
  }
  const { offset, amplitude } = rangeOf(entry);
  const u = uniform(name, seed);
  const values = new Float32Array(elementCount(shape));
  for (let i = 0; i < values.length; i++) values[i] = offset + amplitude * (2 * u(i) - 1);
  return hostTensor("float32", shape, values);
}

/** Weights for a whole model, made from its keys and shapes. */
export function formulaStateDict(
  shapes: Iterable<readonly [name: string, shape: readonly number[]]>,
  { gain, seed }: { readonly gain: number; readonly seed: number },
): StateDict {
  const entries = [...shapes];
  const names = new Set(entries.map(([name]) => name));
  return new Map(entries.map(([name, shape]) => {
    const sibling = name.replace(/[^.]*$/, "running_mean");
    return [name, formulaTensor({ name, shape, gain, seed, normed: names.has(sibling) })];
  }));
}

/**
 * Noise with blocks of 16 pixels in it.
 *
 * @returns `[batch, height, width, 3]` row-major, B, G, R, in [0, 255).
 */
export function formulaImage(
  name: string,
  { batch = 1, height, width, seed }: ImageSize & { readonly batch?: number },
): Float32Array<ArrayBuffer> {
  const pixel = uniform(name, seed);
  const block = uniform(`${name}.block`, seed);
  const blockRows = Math.ceil(height / 16), blockColumns = Math.ceil(width / 16);
  const image = new Float32Array(batch * height * width * 3);
  let to = 0;
  for (let row = 0; row < batch * height; row++) {
    const n = Math.floor(row / height), y = row % height;
    for (let x = 0; x < width; x++) {
      for (let channel = 0; channel < 3; channel++) {
        const plane = n * 3 + channel;
        const i = (plane * height + y) * width + x;
        const j = (plane * blockRows + (y >> 4)) * blockColumns + (x >> 4);
        image[to++] = 127.5 * pixel(i) + 127.5 * block(j);
      }
    }
  }
  return image;
}

/** Sizes of a formula image. */
export interface ImageSize {
  readonly height: number;
  readonly width: number;
  readonly seed: number;
}

/** {@linkcode formulaImage} rounded down to bytes, `[height, width, 3]`. */
export function formulaPixels(name: string, size: ImageSize): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(formulaImage(name, size));
}

function leafOf(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

interface Range {
  readonly offset: number;
  readonly amplitude: number;
}

/** The first norm of each backbone, which sees images of 0 to 255. */
const FIRST_NORM = /^backbone\.(bn1|layer0\.1|layer1\.1|features\.1)\.running_var$/;

function rangeOf({ name, shape, gain, normed }: FormulaEntry): Range {
  switch (leafOf(name)) {
    case "running_mean":
      return { offset: 0, amplitude: 0.1 };
    case "running_var":
      if (name.endsWith(".head.1.running_var")) return { offset: 64, amplitude: 6.4 };
      if (FIRST_NORM.test(name)) return { offset: 16384, amplitude: 1638.4 };
      return { offset: 1, amplitude: 0.1 };
    case "loc_scale":
      return { offset: 1, amplitude: 0.1 };
    case "cls_weight":
    case "loc_weight":
      return { offset: 1, amplitude: 0.5 };
    case "bias":
      if (normed) return { offset: 0, amplitude: 0.1 };
      return { offset: shape[0] === 4 ? 3 : 0, amplitude: 0.05 };
    default:
      return weightRange(name, shape, gain);
  }
}

function weightRange(name: string, shape: readonly number[], gain: number): Range {
  if (shape.length === 1) return { offset: 1, amplitude: 0.1 };
  const amplitude = Math.sqrt(gain / elementCount(shape.slice(1)));
  const divisor = name.endsWith("loc_adjust.weight") ? 16 : shape[0] <= 4 ? 2 : 1;
  return { offset: 0, amplitude: amplitude / divisor };
}
