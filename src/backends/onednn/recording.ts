import type { NativeArguments, NativeCall } from "./bindings/native.ts";
import type { TensorInfo } from "@tensorflow/tfjs";
import { addressOf } from "../../ffi/memory.ts";
import { MemoryPool } from "./memory_pool.ts";

/** Native calls in order, with everything that they read and write. */
export class Recording {
  /** What it frees may be used again by its later calls, and by nobody else while it can be run. */
  readonly pool: MemoryPool;
  /** Whether calls are only written down; else they are also done. */
  readonly dry: boolean;
  /** Tensors that its calls change in place. */
  readonly touched = new Set<TensorInfo>();
  readonly #names: NativeCall[] = [];
  readonly #blocks: Uint8Array<ArrayBuffer>[] = [];
  /** Keeps alive what only native code knows by its address. */
  readonly #held = new Set<ArrayBufferView>();

  constructor(pool: MemoryPool, { dry = false }: { readonly dry?: boolean } = {}) {
    this.pool = pool;
    this.dry = dry;
  }

  /** Says that an array belongs to the recording. */
  hold(array: ArrayBufferView): void {
    this.#held.add(array);
  }

  holds(array: ArrayBufferView): boolean {
    return this.#held.has(array);
  }

  /**
   * Notes a call.
   *
   * @param block Its arguments; copied.
   */
  note(name: NativeCall, { arrays }: NativeArguments, block: Uint8Array): void {
    for (const array of arrays) if (array) this.#held.add(array);
    this.#names.push(name);
    this.#blocks.push(block.slice());
  }

  /**
   * The calls as one.
   *
   * @param addressOfFunction Where a native function lies.
   */
  finish(addressOfFunction: (name: NativeCall) => bigint): Program {
    const functions = BigUint64Array.from(this.#names, addressOfFunction);
    const blocks = BigUint64Array.from(this.#blocks, (block) => addressOf(block));
    const failed = new BigInt64Array(1);
    return { names: this.#names, functions, blocks, failed, memory: [this.#blocks, this.#held] };
  }
}

/** Arrays that a program may still write to, although their owners are done with them. */
export class LateReleases {
  readonly #recording: Recording;
  readonly #waiting: (() => void)[] = [];

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  /** Puts a release off until the program is gone; false if the array is none of its own. */
  defer(array: ArrayBufferView, release: () => void): boolean {
    if (!this.#recording.holds(array)) return false;
    this.#waiting.push(release);
    return true;
  }

  /** Does what was put off. */
  releaseAll(): void {
    for (const release of this.#waiting.splice(0)) release();
  }
}

/** Calls in the form that native code runs. */
export interface Program {
  readonly names: readonly NativeCall[];
  readonly functions: BigUint64Array<ArrayBuffer>;
  readonly blocks: BigUint64Array<ArrayBuffer>;
  /** Which call failed. */
  readonly failed: BigInt64Array<ArrayBuffer>;
  /** What must live as long. */
  readonly memory: readonly unknown[];
}
