import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Rng } from "../../src/random.ts";
import { importances, parseDimension, spearman, suggestRandom } from "../../src/search/mod.ts";

Deno.test("importances() ranks parameters by what they do to the score", () => {
  const space = ["much=0:1", "little=0:1", "nothing=0:1"].map(parseDimension);
  const observed = Array.from({ length: 200 }, (_, i) => {
    const values = suggestRandom({ space, rng: new Rng(1, i) });
    return { values, score: -10 * (values.much - 0.4) ** 2 + 0.4 * values.little };
  });
  const found = importances(space, observed);
  assertEquals(found.map(({ name }) => name), ["much", "little", "nothing"]);
  assert(found[0].share > 2 * found[1].share && found[2].share < 0.1, JSON.stringify(found));
  assertAlmostEquals(found.reduce((sum, { share }) => sum + share, 0), 1, 1e-12);
  assert(found[1].correlation > 0.1 && Math.abs(found[2].correlation) < 0.15);
});

Deno.test("importances() says nothing of few settings, and passes those without a score by", () => {
  const space = [parseDimension("a=0:1")];
  const observed = Array.from({ length: 9 }, (_, i) => ({ values: { a: i / 9 }, score: i }));
  const failed = { values: { a: 0.5 }, score: -Infinity };
  const [{ share, correlation }] = importances(space, [...observed, failed]);
  assertEquals([share, correlation], [NaN, 1]);
});

Deno.test("spearman() correlates ranks", () => {
  assertEquals(spearman([1, 2, 3, 4], [1, 10, 100, 1000]), 1);
  assertEquals(spearman([1, 2, 3], [3, 2, 1]), -1);
  // scipy.stats.spearmanr([1, 2, 2, 3, 5], [4, 1, 3, 2, 9])
  assertAlmostEquals(spearman([1, 2, 2, 3, 5], [4, 1, 3, 2, 9]), 0.20519567041703082, 1e-12);
  assertEquals(spearman([1, 1], [1, 2]), NaN);
});
