import { addressOf } from "../../ffi/memory.ts";

/** Alignment of every block: a cache line, and the widest vector. */
export const ALIGNMENT = 64;

/** Bytes of an arena, from its aligned start. */
export interface Range {
  start: number;
  end: number;
}

/**
 * One large piece of memory, cut into blocks of any size. A released block joins its free neighbours,
 * so that the memory of small tensors serves large ones later.
 *
 * Only what was ever part of a block costs memory: the system gives pages when they are touched.
 */
export class Arena {
  readonly buffer: ArrayBuffer;
  /** Where `Range`s count from, in the buffer. */
  readonly base: number;
  readonly size: number;
  /** Address of the first aligned byte. */
  readonly address: bigint;
  /** Released, by ascending place; neighbours never touch. */
  readonly #free: Range[] = [];
  /** Nothing behind it was ever part of a block. */
  #top = 0;

  constructor(size: number) {
    this.buffer = new ArrayBuffer(size + ALIGNMENT);
    const address = addressOf(new Uint8Array(this.buffer));
    this.base = Number(-address & BigInt(ALIGNMENT - 1));
    this.address = address + BigInt(this.base);
    this.size = size;
  }

  /** Bytes released and not taken again. */
  get idleBytes(): number {
    return this.#free.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** Whether no block is taken. */
  get isIdle(): boolean {
    return this.idleBytes === this.#top;
  }

  /** Size of the smallest released range that holds so many bytes; Infinity if there is none. */
  bestFit(bytes: number): number {
    let best = Infinity;
    for (const { start, end } of this.#free) {
      if (end - start >= bytes && end - start < best) best = end - start;
    }
    return best;
  }

  /** Takes from a released range of just this size, from {@linkcode bestFit}. */
  takeFrom(size: number, bytes: number): Range {
    const index = this.#free.findIndex(({ start, end }) => end - start === size);
    const range = this.#free[index], block = { start: range.start, end: range.start + bytes };
    range.start = block.end;
    if (range.start === range.end) this.#free.splice(index, 1);
    return block;
  }

  /** Takes memory at the end, of which some may be new; undefined if so much is not left. */
  extend(bytes: number): Range | undefined {
    const last = this.#free.at(-1);
    const start = last?.end === this.#top ? last.start : this.#top;
    if (start + bytes > this.size) return undefined;
    if (start < this.#top) this.#free.pop();
    this.#top = start + bytes;
    return { start, end: this.#top };
  }

  /** Takes all that is released, as blocks. */
  takeIdle(): Range[] {
    return this.#free.splice(0);
  }

  /** Gives a block back. */
  release({ start, end }: Range): void {
    let next = this.#free.findIndex((range) => range.start >= end);
    if (next === -1) next = this.#free.length;
    const before = this.#free[next - 1], after = this.#free[next];
    const joinsBefore = before?.end === start, joinsAfter = after?.start === end;
    if (joinsBefore && joinsAfter) {
      before.end = after.end;
      this.#free.splice(next, 1);
    } else if (joinsBefore) before.end = end;
    else if (joinsAfter) after.start = start;
    else this.#free.splice(next, 0, { start, end });
  }
}
