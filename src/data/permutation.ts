import type { Rng } from "../random.ts";

/** Below this many elements a list is shuffled: a Feistel network on few bits mixes too little. */
const SHUFFLE_LIMIT = 256;
const ROUNDS = 8;

/**
 * A random order of 0..size - 1 that is computed element by element and never held as a list, so
 * that any position of a pass over millions of entries is known at once.
 *
 * A Feistel network (Luby and Rackoff, 1988) permutes the smallest even-bit domain around `size`;
 * values outside are walked on until they fall inside (cycle walking, Black and Rogaway, 2002),
 * which takes fewer than four steps on average.
 */
export class Permutation {
  readonly size: number;
  readonly #shuffled?: Uint8Array;
  readonly #keys: Uint32Array;
  readonly #halfBits: number;

  /**
   * @param size Number of elements, up to 2^32.
   * @param rng Decides the order; only its next numbers are drawn.
   * @throws {RangeError} If `size` is not an integer in 1..2^32.
   */
  constructor(size: number, rng: Rng) {
    if (!Number.isInteger(size) || size < 1 || size > 2 ** 32) {
      throw new RangeError(`Cannot permute ${size} elements, expected an integer in 1..2^32`);
    }
    this.size = size;
    this.#keys = new Uint32Array(ROUNDS);
    this.#halfBits = Math.ceil(Math.log2(size) / 2);
    if (size <= SHUFFLE_LIMIT) {
      this.#shuffled = rng.shuffle(Uint8Array.from({ length: size }, (_, i) => i));
    } else {
      for (let round = 0; round < ROUNDS; round++) this.#keys[round] = rng.word();
    }
  }

  /** The element at a position in 0..size - 1. */
  at(position: number): number {
    if (this.#shuffled) return this.#shuffled[position];
    let value = position;
    do value = this.#feistel(value); while (value >= this.size);
    return value;
  }

  #feistel(value: number): number {
    const bits = this.#halfBits, mask = 2 ** bits - 1;
    let left = Math.floor(value / 2 ** bits), right = value & mask;
    for (let round = 0; round < ROUNDS; round++) {
      const next = left ^ (mix(right ^ this.#keys[round]) & mask);
      left = right;
      right = next;
    }
    return left * 2 ** bits + right;
  }
}

/** The finaliser of MurmurHash3: every input bit reaches every output bit. */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
}
