import type { NativeArguments, NativeCall } from "./bindings/native.ts";
import { addressOf } from "../../ffi/memory.ts";
import { MemoryPool } from "./memory_pool.ts";

/** Native calls in order, with everything that they read and write. */
export class Recording {
  /** Memory of its own: what it frees may be used again by its later calls, and by nobody else. */
  readonly pool: MemoryPool;
  readonly #names: NativeCall[] = [];
  readonly #blocks: Uint8Array<ArrayBuffer>[] = [];
  /** Keeps alive what only native code knows by its address. */
  readonly #held = new Set<ArrayBufferView>();

  constructor(pool: MemoryPool) {
    this.pool = pool;
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
