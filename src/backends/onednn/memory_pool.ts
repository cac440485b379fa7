import { addressOf } from "../../ffi/memory.ts";
import { ALIGNMENT } from "./arena.ts";
import { LargeBlocks } from "./large_blocks.ts";

/** Arrays below this many bytes are left to the garbage collector. */
const SMALLEST_BYTES = 4096;
/** Arrays from this many bytes on are cut from arenas. */
const LARGE_BYTES = 1 << 18;
/** Blocks from this size on are worth huge pages. */
const HUGE_BYTES = 1 << 21;
/** An idle block goes after this many allocations without use; a training step makes about a thousand. */
const IDLE_ALLOCATIONS = 8192;

interface Block {
  readonly buffer: ArrayBuffer;
  /** First aligned byte. */
  readonly offset: number;
  readonly sizeClass: number;
  /** Tensors whose values lie in it. */
  tensors: number;
  lastUse: number;
}

/**
 * Memory of tensors, used again: fresh memory costs a page fault for each 4 KB, and a collection
 * whenever the collector thinks so. Large arrays come from {@linkcode LargeBlocks}, small ones from
 * blocks of their own by size class.
 *
 * tfjs may hand one tensor's array to another (a contiguous slice is a view); a small block is known
 * by its second tensor and stays with the garbage collector from then on.
 */
export class MemoryPool {
  readonly #advise: (address: bigint, bytes: number) => void;
  readonly #large: LargeBlocks;
  readonly #blocks = new WeakMap<ArrayBufferLike, Block>();
  readonly #idle = new Map<number, Block[]>();
  #clock = 0;
  #idleBytes = 0;

  /** @param advise Told of fresh memory that is worth huge pages. */
  constructor(advise: (address: bigint, bytes: number) => void = () => {}) {
    this.#advise = advise;
    this.#large = new LargeBlocks(advise);
  }

  /** Bytes that wait to be used again. */
  get idleBytes(): number {
    return this.#idleBytes + this.#large.idleBytes;
  }

  /**
   * An array of `length` floats for a tensor; its values are whatever the memory held. It is the
   * pool's again when the tensors that hold it are gone, so one of them must be told of.
   */
  take(length: number): Float32Array<ArrayBuffer> {
    const bytes = length * Float32Array.BYTES_PER_ELEMENT;
    return bytes >= LARGE_BYTES ? this.#large.take(length) : this.scratch(length);
  }

  /** An array that no tensor need hold; the collector frees it, or {@linkcode release} after attach. */
  scratch(length: number): Float32Array<ArrayBuffer> {
    const bytes = length * Float32Array.BYTES_PER_ELEMENT;
    if (bytes < SMALLEST_BYTES) return new Float32Array(length);
    if (++this.#clock % IDLE_ALLOCATIONS === 0) this.#releaseUnused();
    const sizeClass = roundUp(bytes);
    const block = this.#reuse(sizeClass) ?? this.#create(sizeClass);
    block.tensors = 0;
    block.lastUse = this.#clock;
    return new Float32Array(block.buffer, block.offset, length);
  }

  /** Says that a tensor holds this array, the pool's or not. */
  attach(array: ArrayBufferView): void {
    if (this.#large.attach(array)) return;
    const block = this.#blocks.get(array.buffer);
    if (block) block.tensors++;
  }

  /** Says that a tensor that held this array is gone. */
  release(array: ArrayBufferView): void {
    if (this.#large.release(array)) return;
    const block = this.#blocks.get(array.buffer);
    if (block?.tensors !== 1) return;
    block.tensors = 0;
    this.#rest(block);
  }

  /** Takes all idle memory out of use until the result is disposed. */
  setAside(): Disposable {
    const blocks = [...this.#idle.values()].flat();
    this.#idle.clear();
    this.#idleBytes = 0;
    const large = this.#large.setAside();
    return {
      [Symbol.dispose]: () => {
        large[Symbol.dispose]();
        for (const block of blocks) this.#rest(block);
      },
    };
  }

  #rest(block: Block): void {
    const idle = this.#idle.get(block.sizeClass);
    if (idle) idle.push(block);
    else this.#idle.set(block.sizeClass, [block]);
    this.#idleBytes += block.sizeClass;
  }

  #reuse(sizeClass: number): Block | undefined {
    const block = this.#idle.get(sizeClass)?.pop();
    if (block) this.#idleBytes -= sizeClass;
    return block;
  }

  #create(sizeClass: number): Block {
    const buffer = new ArrayBuffer(sizeClass + ALIGNMENT);
    const address = addressOf(new Uint8Array(buffer));
    const offset = Number(-address & BigInt(ALIGNMENT - 1));
    const block = { buffer, offset, sizeClass, tensors: 0, lastUse: this.#clock };
    this.#blocks.set(buffer, block);
    if (sizeClass >= HUGE_BYTES) this.#advise(address + BigInt(offset), sizeClass);
    return block;
  }

  #releaseUnused(): void {
    const oldest = this.#clock - IDLE_ALLOCATIONS;
    for (const [sizeClass, blocks] of this.#idle) {
      const kept = blocks.filter(({ lastUse }) => lastUse >= oldest);
      this.#idleBytes -= (blocks.length - kept.length) * sizeClass;
      if (kept.length > 0) this.#idle.set(sizeClass, kept);
      else this.#idle.delete(sizeClass);
    }
  }
}

/** Eight size classes between powers of two: at most an eighth of a block is wasted. */
function roundUp(bytes: number): number {
  const step = 2 ** Math.max(6, Math.floor(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}
