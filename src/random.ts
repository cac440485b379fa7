/**
 * Random numbers as a function of (seed, stream, counter), so that a sample can be drawn again
 * anywhere: on another worker, on another rank, after a resume.
 *
 * @module
 */

/** Where an {@linkcode Rng} stands; plain data, so that a checkpoint can hold it. */
export interface RngState {
  readonly seed: number;
  readonly stream: readonly number[];
  /** 32-bit words drawn so far. */
  readonly counter: number;
}

/**
 * Counter-based generator: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011), which passes BigCrush. Generators with different seeds or streams are
 * independent; a generator never shares state with another one.
 *
 * @example A sample depends on its position alone
 * ```ts
 * import { Rng } from "siamban";
 * import { assertEquals } from "@std/assert";
 *
 * const epoch = new Rng(7, 3);
 * assertEquals(epoch.fork(41).uniform(), new Rng(7, 3, 41).uniform());
 * ```
 */
export class Rng {
  readonly seed: number;
  readonly stream: readonly number[];
  readonly #key: Uint32Array; // two key words, then the two upper counter words
  readonly #block = new Uint32Array(4);
  #blockIndex = -1;
  #counter = 0;

  /**
   * @param seed Integer of magnitude up to 2^53 - 1.
   * @param stream Integers that name an independent sequence, such as epoch, index, rank.
   * @throws {RangeError} If a number is not a safe integer.
   */
  constructor(seed: number, ...stream: number[]) {
    this.seed = seed;
    this.stream = stream;
    this.#key = deriveKey(seed, stream);
  }

  /** Continues a generator where {@linkcode Rng.state} was read. */
  static from(state: RngState): Rng {
    const rng = new Rng(state.seed, ...state.stream);
    rng.#counter = checkInteger(state.counter);
    return rng;
  }

  /** The position, as plain data. */
  get state(): RngState {
    return { seed: this.seed, stream: this.stream, counter: this.#counter };
  }

  /**
   * An independent generator at its own start. It depends on this one's seed and stream only, not
   * on what was drawn from it: `new Rng(s, a).fork(b)` is `new Rng(s, a, b)`.
   */
  fork(...stream: number[]): Rng {
    return new Rng(this.seed, ...this.stream, ...stream);
  }

  /** A uniform integer in 0..2^32 - 1; draws one word. */
  word(): number {
    const index = Math.floor(this.#counter / 4);
    if (index !== this.#blockIndex) {
      const block = this.#block;
      block[0] = index >>> 0;
      block[1] = Math.floor(index / 2 ** 32);
      block[2] = this.#key[2];
      block[3] = this.#key[3];
      philox4x32(block, this.#key[0], this.#key[1]);
      this.#blockIndex = index;
    }
    return this.#block[this.#counter++ % 4];
  }

  /** A uniform number in [0, 1) with 53 random bits; draws two words. */
  uniform(): number {
    const high = this.word() >>> 5;
    return (high * 2 ** 26 + (this.word() >>> 6)) / 2 ** 53;
  }

  /**
   * A uniform integer in 0..n - 1; draws two words. No value is favoured by more than n / 2^53.
   *
   * @throws {RangeError} If `n` is not a positive integer.
   */
  integer(n: number): number {
    if (!Number.isSafeInteger(n) || n < 1) {
      throw new RangeError(`Cannot draw an integer below ${n}, expected a positive integer`);
    }
    return Math.floor(this.uniform() * n);
  }

  /**
   * A number of the normal distribution of mean 0 and deviation 1 (Box and Muller, 1958); draws
   * four words. The second number of the pair is dropped: keeping it would be hidden state.
   */
  normal(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform())); // 1 - u is never 0
    return radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /** Shuffles in place (Fisher and Yates) and returns the array. */
  shuffle<T extends { length: number; [index: number]: unknown }>(array: T): T {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const swapped = array[i];
      array[i] = array[j];
      array[j] = swapped;
    }
    return array;
  }
}

/**
 * The Philox4x32-10 bijection: replaces the counter block by its random block.
 *
 * @param block Four 32-bit words, changed in place.
 */
export function philox4x32(block: Uint32Array, key0: number, key1: number): void {
  let [c0, c1, c2, c3] = block;
  for (let round = 0; round < 10; round++) {
    const high0 = multiplyHigh(0xd2511f53, c0);
    const low0 = Math.imul(0xd2511f53, c0);
    const high1 = multiplyHigh(0xcd9e8d57, c2);
    const low1 = Math.imul(0xcd9e8d57, c2);
    c0 = (high1 ^ c1 ^ key0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ key1) >>> 0;
    c3 = low0 >>> 0;
    key0 = (key0 + 0x9e3779b9) >>> 0;
    key1 = (key1 + 0xbb67ae85) >>> 0;
  }
  block[0] = c0;
  block[1] = c1;
  block[2] = c2;
  block[3] = c3;
}

/** Upper half of the 64-bit product of two 32-bit words, by 16-bit halves. */
function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff, a1 = a >>> 16, b0 = b & 0xffff, b1 = b >>> 16;
  const middle = a1 * b0 + ((a0 * b0) >>> 16); // below 2^32
  return a1 * b1 + (middle >>> 16) + ((a0 * b1 + (middle & 0xffff)) >>> 16);
}

/** Hashes seed and stream to 128 bits by running each number through the bijection as a counter. */
function deriveKey(seed: number, stream: readonly number[]): Uint32Array {
  checkInteger(seed);
  const key = Uint32Array.of(lowWord(seed), highWord(seed), 0, 0);
  const block = new Uint32Array(4);
  for (const number of stream) {
    checkInteger(number);
    block[0] = lowWord(number);
    block[1] = highWord(number);
    block[2] = key[2];
    // Draws have the plain upper word there: flipping its bits keeps a child off its parent's path.
    block[3] = ~key[3];
    philox4x32(block, key[0], key[1]);
    key.set(block);
  }
  return key;
}

function lowWord(value: number): number {
  return value >>> 0;
}

function highWord(value: number): number {
  return Math.floor(value / 2 ** 32) >>> 0;
}

function checkInteger(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new RangeError(
    `Cannot seed a generator with ${value}, expected an integer of magnitude below 2^53`,
  );
}
