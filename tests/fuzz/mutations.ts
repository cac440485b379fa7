/**
 * Mutations of files: of their bytes, and of what their grammars have in common (lines, numbers in
 * digits, numbers of 1 to 8 bytes such as lengths and offsets, brackets).
 *
 * @module
 */
import type { Rng } from "../../src/random.ts";

type Bytes = Uint8Array<ArrayBuffer>;
type Mutation = (bytes: Bytes, rng: Rng, corpus: readonly Bytes[]) => Bytes;

/** Files may grow by mutation, but not to any size. */
const LONGEST = 1 << 20;

/** Numbers at the edges of types and of what doubles hold. */
const EXTREMES: readonly bigint[] = [
  ...[0n, 1n, 2n, 0x7fn, 0x80n, 0xffn, 0x100n, 0x7fffn, 0x8000n, 0xffffn, 0x10000n],
  ...[0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n, 2n ** 53n, 2n ** 63n - 1n],
  ...[2n ** 63n, 2n ** 64n - 1n, 2n ** 64n - 8n],
];
const NUMBER_WORDS: readonly string[] = [
  ...["0", "-0", "-1", "1e308", "1e309", "-1e999", "1e-400", "NaN", "nan", "Infinity", "-Infinity"],
  ...["2147483647", "2147483648", "4294967296", "9007199254740993", "18446744073709551616"],
  ...["0x10", "1_000", "00012", "1.", ".5", "1e", "--1", "9".repeat(400), "", " ", "null", "true"],
];

/**
 * A file made of the corpus by one to six mutations. Depends on the generator alone.
 *
 * @param dictionary Words of the format.
 */
export function mutate(
  rng: Rng,
  corpus: readonly Bytes[],
  dictionary: readonly string[] = [],
): Bytes {
  const mutations = dictionary.length === 0 ? MUTATIONS : [...MUTATIONS, insertWord(dictionary)];
  let bytes: Bytes = corpus[rng.integer(corpus.length)].slice();
  for (let i = [1, 1, 2, 3, 6][rng.integer(5)]; i > 0; i--) {
    bytes = mutations[rng.integer(mutations.length)](bytes, rng, corpus).slice(0, LONGEST);
  }
  return bytes;
}

/** A range of the file, small ones being as likely as large ones. */
function someRange(bytes: Bytes, rng: Rng): [start: number, end: number] {
  const start = rng.integer(bytes.length + 1);
  const most = 2 ** rng.integer(Math.ceil(Math.log2(bytes.length + 2)) + 1);
  return [start, Math.min(bytes.length, start + 1 + rng.integer(most))];
}

function replace(bytes: Bytes, [start, end]: [number, number], by: Bytes): Bytes {
  const out = new Uint8Array(bytes.length - (end - start) + by.length);
  out.set(bytes.subarray(0, start));
  out.set(by, start);
  out.set(bytes.subarray(end), start + by.length);
  return out;
}

const flipBits: Mutation = (bytes, rng) => {
  if (bytes.length === 0) return bytes;
  for (let i = 1 + rng.integer(4); i > 0; i--) {
    bytes[rng.integer(bytes.length)] ^= 1 << rng.integer(8);
  }
  return bytes;
};

const setByte: Mutation = (bytes, rng) => {
  if (bytes.length > 0) bytes[rng.integer(bytes.length)] = rng.integer(256);
  return bytes;
};

const truncate: Mutation = (bytes, rng) => bytes.slice(0, rng.integer(bytes.length + 1));

const remove: Mutation = (bytes, rng) => replace(bytes, someRange(bytes, rng), new Uint8Array());

const duplicate: Mutation = (bytes, rng) => {
  const [start, end] = someRange(bytes, rng);
  const times = Math.min(1 + rng.integer(4), Math.floor(LONGEST / (end - start + 1)));
  let out = bytes;
  for (let i = 0; i < times; i++) out = replace(out, [end, end], bytes.slice(start, end));
  return out;
};

const move: Mutation = (bytes, rng) => {
  const [start, end] = someRange(bytes, rng);
  const rest = replace(bytes, [start, end], new Uint8Array());
  const at = rng.integer(rest.length + 1);
  return replace(rest, [at, at], bytes.slice(start, end));
};

const insertNoise: Mutation = (bytes, rng) => {
  const at = rng.integer(bytes.length + 1);
  const noise = Uint8Array.from({ length: 1 + rng.integer(16) }, () => rng.integer(256));
  return replace(bytes, [at, at], noise);
};

/** The front of one file and the back of another. */
const splice: Mutation = (bytes, rng, corpus) => {
  const other = corpus[rng.integer(corpus.length)];
  const cut = rng.integer(bytes.length + 1);
  const from = rng.integer(2) === 0 ? Math.min(cut, other.length) : rng.integer(other.length + 1);
  return replace(bytes, [cut, bytes.length], other.slice(from));
};

/** An extreme, or a little more or less than what is there, in either byte order. */
const changeField: Mutation = (bytes, rng) => {
  const width = [1, 2, 4, 8][rng.integer(4)];
  if (bytes.length < width) return bytes;
  // Headers are where lengths and offsets lie: half of the changes go to the front.
  const reach = rng.integer(2) === 0 ? Math.min(bytes.length, 256) : bytes.length;
  const at = rng.integer(Math.max(1, reach - width + 1));
  const little = rng.integer(2) === 0;
  const place = (i: number) => at + (little ? i : width - 1 - i);
  let value = 0n;
  for (let i = width - 1; i >= 0; i--) value = value << 8n | BigInt(bytes[place(i)]);
  value = rng.integer(2) === 0
    ? EXTREMES[rng.integer(EXTREMES.length)]
    : value + BigInt(rng.integer(33) - 16);
  for (let i = 0; i < width; i++) {
    bytes[place(i)] = Number(BigInt.asUintN(8, value >> BigInt(8 * i)));
  }
  return bytes;
};

const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g;

/** Puts an extreme in the place of a number in digits. */
const changeNumber: Mutation = (bytes, rng) => {
  const start = Math.max(0, rng.integer(bytes.length + 1) - 64);
  const window = new TextDecoder("latin1").decode(bytes.subarray(start, start + 4096));
  const found = [...window.matchAll(NUMBER)];
  if (found.length === 0) return bytes;
  const { index, 0: digits } = found[rng.integer(found.length)];
  const at = start + index;
  return replace(bytes, [at, at + digits.length], latin1(pick(NUMBER_WORDS, rng)));
};

/** Removes, doubles or exchanges lines. */
const changeLines: Mutation = (bytes, rng) => {
  const lines = new TextDecoder("latin1").decode(bytes).split("\n");
  if (lines.length < 2) return bytes;
  const [i, j] = [rng.integer(lines.length), rng.integer(lines.length)];
  const what = rng.integer(3);
  if (what === 0) lines.splice(i, 1);
  if (what === 1) lines.splice(i, 0, lines[j]);
  if (what === 2) [lines[i], lines[j]] = [lines[j], lines[i]];
  return latin1(lines.join("\n"));
};

/** Opens the same bracket very often: what a parser that calls itself runs out of stack by. */
const nest: Mutation = (bytes, rng) => {
  const at = rng.integer(bytes.length + 1);
  const word = pick(["[", "{", "(", "<a>", '{"a":', "- ", "]", "}", "&a [*a,"], rng);
  const times = [10, 300, 20_000][rng.integer(3)];
  return replace(bytes, [at, at], latin1(word.repeat(times)));
};

function insertWord(dictionary: readonly string[]): Mutation {
  return (bytes, rng) => {
    const start = rng.integer(bytes.length + 1);
    const end = rng.integer(2) === 0 ? start : Math.min(bytes.length, start + 1 + rng.integer(8));
    return replace(bytes, [start, end], latin1(pick(dictionary, rng)));
  };
}

const MUTATIONS: readonly Mutation[] = [
  ...[flipBits, flipBits, setByte, truncate, remove, duplicate, move, insertNoise, splice],
  ...[changeField, changeField, changeField, changeNumber, changeNumber, changeLines, nest],
];

function pick<T>(values: readonly T[], rng: Rng): T {
  return values[rng.integer(values.length)];
}

function latin1(text: string): Bytes {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
