import { assert, assertAlmostEquals } from "@std/assert";
import { Rng } from "../../src/random.ts";
import { Parzen } from "../../src/search/parzen.ts";

Deno.test("Parzen spreads a mass of 1 over the places, as its density says", () => {
  for (const observed of [[], [0.1], [0, 0, 1], [0.3, 0.31, 0.9]]) {
    const density = Parzen.adaptive(observed), steps = 4000;
    assertAlmostEquals(density.mass(0, 1), 1, 1e-6);
    let sum = 0;
    for (let i = 0; i < steps; i++) sum += density.density((i + 0.5) / steps) / steps;
    assertAlmostEquals(sum, 1, 1e-4);
  }
});

Deno.test("Parzen draws what its mass says", () => {
  const density = Parzen.adaptive([0.2, 0.25, 0.8]), rng = new Rng(1), draws = 4000;
  const counts = new Float64Array(10);
  for (let i = 0; i < draws; i++) {
    const x = density.sample(() => rng.uniform());
    assert(x >= 0 && x <= 1);
    counts[Math.min(9, Math.floor(10 * x))]++;
  }
  counts.forEach((count, i) => {
    const mass = density.mass(i / 10, (i + 1) / 10);
    // Five deviations of a count.
    assertAlmostEquals(count / draws, mass, 5 * Math.sqrt(mass / draws));
  });
});
