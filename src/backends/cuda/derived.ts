import type { TensorInfo } from "@tensorflow/tfjs";
import type { DeviceBlock } from "./memory_pool.ts";

interface Kept {
  /** Identity and version of each tensor that it was made from. */
  stamp: string;
  readonly blocks: readonly DeviceBlock[];
}

/**
 * Device memory with something made from weights: folded filters, filters in another format. It is made
 * again, in the same memory, when one of the tensors has changed or is another one, and goes with
 * the first of them.
 */
export class Derived {
  readonly #version: (info: TensorInfo) => number;
  readonly #take: (bytes: number) => DeviceBlock;
  readonly #kept = new WeakMap<object, Map<string, Kept>>();
  readonly #serials = new WeakMap<object, number>();
  #lastSerial = 0;

  constructor(
    { version, take }: {
      readonly version: (info: TensorInfo) => number;
      readonly take: (bytes: number) => DeviceBlock;
    },
  ) {
    this.#version = version;
    this.#take = take;
  }

  /**
   * What was made of tensors.
   *
   * @param key What it is, among all that is made from the first tensor.
   * @param options.bytes Of each of its blocks.
   * @param options.make Queues the work that fills them.
   */
  keep(
    key: string,
    sources: readonly (TensorInfo | undefined)[],
    { bytes, make }: {
      readonly bytes: readonly number[];
      readonly make: (blocks: readonly DeviceBlock[]) => void;
    },
  ): readonly DeviceBlock[] {
    const owner = sources[0]!.dataId;
    let held = this.#kept.get(owner);
    if (!held) this.#kept.set(owner, held = new Map());
    let kept = held.get(key);
    if (!kept) held.set(key, kept = { stamp: "", blocks: bytes.map((size) => this.#take(size)) });
    let stamp = "";
    for (const source of sources) stamp += source ? `${this.#stamp(source)},` : ",";
    if (kept.stamp !== stamp) {
      make(kept.blocks);
      kept.stamp = stamp;
    }
    return kept.blocks;
  }

  /** Forgets what was made from a tensor that is gone. */
  drop(dataId: object): void {
    for (const { blocks } of this.#kept.get(dataId)?.values() ?? []) {
      for (const block of blocks) block.pool.release(block);
    }
    this.#kept.delete(dataId);
  }

  #stamp(info: TensorInfo): string {
    let serial = this.#serials.get(info.dataId);
    if (serial === undefined) this.#serials.set(info.dataId, serial = ++this.#lastSerial);
    return `${serial}.${this.#version(info)}`;
  }
}
