import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { philox4x32, Rng } from "../src/random.ts";

// Known answers of the Random123 library (kat_vectors, philox4x32 with 10 rounds).
const KNOWN_ANSWERS = [
  {
    counter: [0, 0, 0, 0],
    key: [0, 0],
    block: [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  },
  {
    counter: [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    key: [0xffffffff, 0xffffffff],
    block: [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  },
  {
    counter: [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    key: [0xa4093822, 0x299f31d0],
    block: [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  },
];

Deno.test("philox4x32() gives the published known answers", () => {
  for (const { counter, key, block } of KNOWN_ANSWERS) {
    const words = Uint32Array.from(counter);
    philox4x32(words, key[0], key[1]);
    assertEquals([...words], block);
  }
});

Deno.test("Rng of a seed alone walks the Philox counter", () => {
  const rng = new Rng(0);
  assertEquals(Array.from({ length: 4 }, () => rng.word()), KNOWN_ANSWERS[0].block);
});

Deno.test("Rng gives the same numbers for the same seed and stream", () => {
  const draw = (rng: Rng) => [rng.uniform(), rng.integer(1000), rng.normal()];
  assertEquals(draw(new Rng(5, 1, 2)), draw(new Rng(5, 1, 2)));
  assertEquals(draw(new Rng(5, 1, 2)), draw(new Rng(5, 1).fork(2)));
  assertEquals(draw(new Rng(5, 1, 2)), draw(new Rng(5).fork(1, 2)));
});

Deno.test("Rng gives other numbers for another seed, stream or order of the stream", () => {
  const keys = [[0], [1], [-1], [2 ** 40], [0, 0], [0, 1], [1, 0], [0, 0, 0], [0, 0, 1], [0, 1, 0]];
  const firsts = keys.map(([seed, ...stream]) => new Rng(seed, ...stream).uniform());
  assertEquals(new Set(firsts).size, keys.length);
});

Deno.test("Rng.fork() does not depend on what was drawn, and leaves the parent alone", () => {
  const parent = new Rng(3), other = new Rng(3);
  parent.uniform();
  assertEquals(parent.fork(9).uniform(), other.fork(9).uniform());
  other.uniform();
  assertEquals(parent.uniform(), other.uniform());
});

Deno.test("Rng.from() continues where the state was read, through JSON", () => {
  const rng = new Rng(11, 4);
  for (let i = 0; i < 7; i++) rng.word();
  const copy = Rng.from(JSON.parse(JSON.stringify(rng.state)));
  assertEquals(copy.state, { seed: 11, stream: [4], counter: 7 });
  assertEquals([copy.normal(), copy.uniform()], [rng.normal(), rng.uniform()]);
});

Deno.test("Rng.uniform() is uniform: 20 bins, mean, variance, serial correlation", () => {
  const rng = new Rng(1, 2, 3), n = 200_000;
  const bins = new Float64Array(20);
  let sum = 0, squares = 0, products = 0, previous = rng.uniform();
  for (let i = 0; i < n; i++) {
    const u = rng.uniform();
    assert(u >= 0 && u < 1);
    bins[Math.floor(u * 20)]++;
    sum += u;
    squares += u * u;
    products += (u - 0.5) * (previous - 0.5);
    previous = u;
  }
  const chiSquare = bins.reduce((total, count) => total + (count - n / 20) ** 2 / (n / 20), 0);
  assert(chiSquare < 43.8, `chi square ${chiSquare}`); // 99.9 % of 19 degrees of freedom
  assertAlmostEquals(sum / n, 1 / 2, 3e-3);
  assertAlmostEquals(squares / n, 1 / 3, 3e-3);
  assertAlmostEquals(products / n * 12, 0, 1e-2);
});

Deno.test("Rng: first numbers of neighbouring streams are uniform too", () => {
  const n = 50_000, bins = new Float64Array(20);
  for (let i = 0; i < n; i++) bins[Math.floor(new Rng(1, 0, i).uniform() * 20)]++;
  const chiSquare = bins.reduce((total, count) => total + (count - n / 20) ** 2 / (n / 20), 0);
  assert(chiSquare < 43.8, `chi square ${chiSquare}`);
});

Deno.test("Rng.normal() has the moments of the normal distribution", () => {
  const rng = new Rng(8), n = 100_000;
  const moments = [0, 0, 0, 0];
  for (let i = 0; i < n; i++) {
    const x = rng.normal();
    for (let k = 0; k < 4; k++) moments[k] += x ** (k + 1) / n;
  }
  [0, 1, 0, 3].forEach((wanted, k) => assertAlmostEquals(moments[k], wanted, 0.06));
});

Deno.test("Rng.integer() covers 0..n-1 and refuses other bounds", () => {
  const rng = new Rng(2), seen = new Set<number>();
  for (let i = 0; i < 200; i++) seen.add(rng.integer(5));
  assertEquals([...seen].sort(), [0, 1, 2, 3, 4]);
  for (const n of [0, -1, 1.5, NaN]) assertThrows(() => rng.integer(n), RangeError);
});

Deno.test("Rng.shuffle() permutes in place, every order equally often", () => {
  const rng = new Rng(4), counts = new Map<string, number>();
  for (let i = 0; i < 6000; i++) {
    const order = rng.shuffle([1, 2, 3]).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  assertEquals(counts.size, 6);
  for (const count of counts.values()) assert(Math.abs(count - 1000) < 120);
  const typed = Int32Array.from({ length: 100 }, (_, i) => i);
  assertNotEquals([...rng.shuffle(typed)], [...typed].sort((a, b) => a - b));
});

Deno.test("Rng refuses a seed that is not an integer", () => {
  assertThrows(() => new Rng(0.5), RangeError, "0.5");
  assertThrows(() => new Rng(0, NaN), RangeError);
});
