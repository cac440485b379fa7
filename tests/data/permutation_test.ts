import { assert, assertEquals, assertThrows } from "@std/assert";
import { Permutation } from "../../src/data/permutation.ts";
import { Rng } from "../../src/random.ts";

Deno.test("Permutation holds every element once", () => {
  for (const size of [1, 2, 3, 200, 256, 257, 1000, 4097, 100_003]) {
    const permutation = new Permutation(size, new Rng(1, size));
    const seen = new Uint8Array(size);
    for (let i = 0; i < size; i++) seen[permutation.at(i)]++;
    assert(seen.every((count) => count === 1), `${size}`);
  }
});

Deno.test("Permutation covers sizes up to 2^32", () => {
  const permutation = new Permutation(2 ** 32, new Rng(1));
  const values = [0, 1, 2 ** 31, 2 ** 32 - 1].map((i) => permutation.at(i));
  assertEquals(new Set(values).size, 4);
  assert(values.every((value) => value >= 0 && value < 2 ** 32));
  assertThrows(() => new Permutation(0, new Rng(1)), RangeError, "Cannot permute 0 elements");
});

Deno.test("Permutation brings every element to every place equally often", () => {
  for (const size of [6, 300]) {
    const draws = 300 * size, places = [0, 1, size - 1];
    const counts = places.map(() => new Float64Array(size));
    for (let seed = 0; seed < draws; seed++) {
      const permutation = new Permutation(size, new Rng(seed));
      places.forEach((place, i) => counts[i][permutation.at(place)]++);
    }
    // 300 expected each; 6 standard deviations
    for (const count of counts) assert(count.every((n) => Math.abs(n - 300) < 6 * Math.sqrt(300)));
  }
});

Deno.test("Permutation leaves no trace of the old order", () => {
  const size = 5000, permutation = new Permutation(size, new Rng(3));
  const values = Array.from({ length: size }, (_, i) => permutation.at(i));
  const mean = (size - 1) / 2, variance = (size ** 2 - 1) / 12;
  for (const lag of [0, 1, 2, 64]) {
    let sum = 0;
    for (let i = 0; i + lag < size; i++) {
      sum += (values[i] - mean) * ((lag === 0 ? i : values[i + lag]) - mean);
    }
    assert(Math.abs(sum / variance / size) < 5 / Math.sqrt(size), `lag ${lag}`);
  }
});
