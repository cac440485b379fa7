/**
 * Processes that train one model together. Every rank calls the same methods in the same order; each
 * call returns when all ranks have made it.
 */
export interface Collective extends Disposable {
  /** This process among all, from 0. */
  readonly rank: number;
  /** Number of processes. */
  readonly size: number;
  /** This process among those on its machine, from 0. */
  readonly localRank: number;
  /** Number of processes on this machine. */
  readonly localSize: number;
  /** Seconds spent in these calls so far, most of them waiting for slower ranks. */
  readonly seconds: number;
  /** Adds up the values of all ranks, element by element, in place. */
  sum(values: Float32Array | Float64Array): void;
  /** Overwrites the bytes of all ranks with those of one. */
  broadcast(bytes: Uint8Array, root?: number): void;
}

/** The only process of its job. */
export const ALONE: Collective = {
  rank: 0,
  size: 1,
  localRank: 0,
  localSize: 1,
  seconds: 0,
  sum() {},
  broadcast() {},
  [Symbol.dispose]() {},
};

/** Largest text that {@linkcode broadcastText} sends, in bytes of UTF-8. */
const TEXT_BYTES = 1 << 20;

/**
 * Gives the text of one rank to all.
 *
 * @param text That of other ranks is not looked at.
 * @throws {RangeError} If it is longer than a mebibyte.
 */
export function broadcastText(collective: Collective, text: string, root = 0): string {
  if (collective.size === 1) return text;
  const bytes = new TextEncoder().encode(collective.rank === root ? text : "");
  if (bytes.length > TEXT_BYTES) {
    throw new RangeError(
      `Cannot send ${bytes.length} bytes of text, expected ${TEXT_BYTES} or less`,
    );
  }
  const length = new Uint8Array(Uint32Array.of(bytes.length).buffer);
  collective.broadcast(length, root);
  const received = new Uint8Array(new Uint32Array(length.buffer)[0]);
  received.set(bytes);
  collective.broadcast(received, root);
  return new TextDecoder().decode(received);
}
