import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor4D } from "@tensorflow/tfjs";
import { readSafetensors } from "../../src/weights/safetensors.ts";
import type { HostTensor } from "../../src/weights/host_tensor.ts";

/** Numbers computed by the published PyTorch implementation: a `.json` and a `.safetensors` file. */
export class Golden<Json = unknown> {
  readonly json: Json;
  readonly #tensors: ReadonlyMap<string, HostTensor>;

  constructor(json: Json, tensors: ReadonlyMap<string, HostTensor>) {
    this.json = json;
    this.#tensors = tensors;
  }

  /** Whether there is a tensor of this name. */
  has(name: string): boolean {
    return this.#tensors.has(name);
  }

  /** A tensor in the layout of the file; 64-bit integers become int32. */
  tensor<T extends Tensor>(name: string): T {
    const { data, shape } = this.host(name);
    if (data instanceof BigInt64Array) {
      return tf.tensor(Int32Array.from(data, Number), [...shape], "int32") as T;
    }
    // A copy: some kernels change their inputs in place.
    return tf.tensor((data as Float32Array).slice(), [...shape], "float32") as T;
  }

  /** Activations: `[B, C, H, W]` in the file, `[B, H, W, C]` here. */
  activations(name: string): Tensor4D {
    return channelsLast(this, name);
  }

  /** Filters: `[O, C, kh, kw]` in the file, `[O, kh, kw, C]` here. */
  filters(name: string): Tensor4D {
    return channelsLast(this, name);
  }

  /** The tensor in host memory, as it is in the file. */
  host(name: string): HostTensor {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new RangeError(`Cannot find golden tensor "${name}"`);
    return tensor;
  }
}

function channelsLast(golden: Golden, name: string): Tensor4D {
  return tf.tidy(() => golden.tensor<Tensor4D>(name).transpose<Tensor4D>([0, 2, 3, 1]));
}

/**
 * Reads `<path>.json` and `<path>.safetensors`.
 *
 * @param path Below tests/fixtures, without extension: `ops/layers`.
 */
export async function readGolden<Json>(path: string): Promise<Golden<Json>> {
  const at = new URL(`../fixtures/${path}`, import.meta.url);
  const json = JSON.parse(await Deno.readTextFile(`${at.pathname}.json`)) as Json;
  const { tensors } = await readSafetensors(`${at.pathname}.safetensors`);
  return new Golden(json, tensors);
}
