import { assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { check } from "../../src/parity/check.ts";
import { decide, neighbourOf, NEIGHBOURS } from "../../src/parity/neighbours.ts";
import { hostTensor } from "../../src/weights/mod.ts";

Deno.test("neighbourOf moves each float by one last bit, either way, and leaves zeros", () => {
  const values = Float32Array.from({ length: 100 }, (_, i) => (i - 50) / 7);
  const weights = new Map([["a", hostTensor("float32", [100], values)]]);
  const moved = neighbourOf(weights, 1).get("a")!.data as Float32Array;
  const ulps = Array.from(moved, (value, i) => (value - values[i]) / (Math.abs(values[i]) || 1));
  assertEquals(moved[50], 0);
  assertEquals(ulps.filter((ulp) => ulp === 0).length, 1);
  assertEquals(ulps.every((ulp) => Math.abs(ulp) <= 2 ** -23), true);
  assertEquals(ulps.some((ulp) => ulp > 0) && ulps.some((ulp) => ulp < 0), true);
  assertAlmostEquals(values[99], 7); // the start itself stays
  assertNotEquals(moved, neighbourOf(weights, 2).get("a")!.data);
});

Deno.test("decide calls a check undecided only if a neighbour passes, with the figures of the start", async () => {
  const runs: number[] = [];
  const found = await Array.fromAsync(decide(async function* (neighbour) {
    runs.push(neighbour);
    yield check("right", { error: 0, tolerance: 1 });
    yield check("kink", { error: neighbour === 3 ? 1 : 2, tolerance: 1 });
    await Promise.resolve();
    yield check("wrong", { error: 5 + neighbour, tolerance: 1 });
  }));
  assertEquals(runs.length, NEIGHBOURS + 1);
  assertEquals(found.map(({ name, error, passed }) => [name, error, passed]), [
    ["right", 0, true],
    ["kink", 2, false],
    ["wrong", 5, false],
  ]);
  assertEquals(found.map(({ undecided }) => undecided !== undefined), [false, true, false]);
});

Deno.test("decide runs no neighbour when everything passes", async () => {
  let runs = 0;
  await Array.fromAsync(decide(async function* () {
    runs++;
    await Promise.resolve();
    yield check("right", { error: 0, tolerance: 1 });
  }));
  assertEquals(runs, 1);
});
