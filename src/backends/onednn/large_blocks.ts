import { ALIGNMENT, Arena, type Range } from "./arena.ts";

/** Bytes of an arena, unless a block needs more; untouched memory costs nothing. */
const ARENA_BYTES = 2 ** 28;
/** Allocations after which an arena that nobody uses goes. */
const IDLE_ALLOCATIONS = 8192;

interface Block extends Range {
  /** Tensors whose values lie in it. */
  tensors: number;
}

interface Place {
  readonly arena: Arena;
  /** Blocks by their first byte in the buffer. */
  readonly blocks: Map<number, Block>;
  lastUse: number;
}

/**
 * Memory of large tensors, cut from arenas: the best fitting released range first. Blocks by size class
 * alone keep the sum of each class's peak, which in a training step is half again as much as the peak.
 *
 * A block that several tensors see (a contiguous slice is a view) is free when all of them are gone.
 */
export class LargeBlocks {
  readonly #advise: (address: bigint, bytes: number) => void;
  readonly #places = new Map<ArrayBufferLike, Place>();
  #clock = 0;

  /** @param advise Told of fresh memory that is worth huge pages. */
  constructor(advise: (address: bigint, bytes: number) => void) {
    this.#advise = advise;
  }

  /** Bytes that wait to be used again. */
  get idleBytes(): number {
    let sum = 0;
    for (const { arena } of this.#places.values()) sum += arena.idleBytes;
    return sum;
  }

  /** An array of `length` floats; its values are whatever the memory held. */
  take(length: number): Float32Array<ArrayBuffer> {
    if (++this.#clock % IDLE_ALLOCATIONS === 0) this.#releaseUnused();
    const bytes = Math.ceil(4 * length / ALIGNMENT) * ALIGNMENT;
    const { place, range } = this.#fit(bytes) ?? this.#extend(bytes) ?? this.#create(bytes);
    const { arena, blocks } = place;
    place.lastUse = this.#clock;
    blocks.set(arena.base + range.start, { ...range, tensors: 0 });
    return new Float32Array(arena.buffer, arena.base + range.start, length);
  }

  /** Says that a tensor holds this array; false if it does not lie here. */
  attach(array: ArrayBufferView): boolean {
    const found = this.#find(array);
    if (found) found.block.tensors++;
    return found !== undefined;
  }

  /** Says that a tensor that held this array is gone; false if it does not lie here. */
  release(array: ArrayBufferView): boolean {
    const found = this.#find(array);
    if (!found) return false;
    const { place: { arena, blocks }, block } = found;
    if (block.tensors > 0 && --block.tensors === 0) {
      blocks.delete(arena.base + block.start);
      arena.release(block);
    }
    return true;
  }

  /** Takes all idle memory out of use until the result is disposed. */
  setAside(): Disposable {
    const taken = Array.from(
      this.#places.values(),
      ({ arena }) => ({ arena, ranges: arena.takeIdle() }),
    );
    return {
      [Symbol.dispose]: () => {
        for (const { arena, ranges } of taken) ranges.forEach((range) => arena.release(range));
      },
    };
  }

  #fit(bytes: number): { place: Place; range: Range } | undefined {
    let best: Place | undefined, size = Infinity;
    for (const place of this.#places.values()) {
      const fit = place.arena.bestFit(bytes);
      if (fit < size) [best, size] = [place, fit];
    }
    return best && { place: best, range: best.arena.takeFrom(size, bytes) };
  }

  #extend(bytes: number): { place: Place; range: Range } | undefined {
    for (const place of this.#places.values()) {
      const range = place.arena.extend(bytes);
      if (range) return { place, range };
    }
  }

  #create(bytes: number): { place: Place; range: Range } {
    const arena = new Arena(Math.max(ARENA_BYTES, bytes));
    this.#advise(arena.address, arena.size);
    const place = { arena, blocks: new Map<number, Block>(), lastUse: this.#clock };
    this.#places.set(arena.buffer, place);
    return { place, range: arena.extend(bytes)! };
  }

  #find({ buffer, byteOffset }: ArrayBufferView): { place: Place; block: Block } | undefined {
    const place = this.#places.get(buffer);
    if (!place) return undefined;
    const { arena, blocks } = place;
    const at = byteOffset - arena.base;
    const block = blocks.get(byteOffset) ??
      blocks.values().find(({ start, end }) => start <= at && at < end);
    return block && { place, block };
  }

  #releaseUnused(): void {
    const oldest = this.#clock - IDLE_ALLOCATIONS;
    for (const [buffer, { arena, lastUse }] of this.#places) {
      if (lastUse < oldest && arena.isIdle) this.#places.delete(buffer);
    }
  }
}
