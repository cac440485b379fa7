import type { Rng } from "../../../src/random.ts";
import { BACKENDS } from "../../support/backends.ts";
import { assertClose } from "../../support/close.ts";
import { type Results, valuesOf } from "../../support/results.ts";

const [onednn, reference] = ["onednn", "reference"].map((name) =>
  BACKENDS.find((backend) => backend.name === name)!
);

/**
 * Registers a test that runs `compute` on random inputs of many seeds, once on the reference backend
 * and once in native code, and compares all results.
 */
export function testAgainstReference(
  name: string,
  compute: (rng: Rng) => Results,
  { seeds = 12, tolerance = 1e-5 }: {
    readonly seeds?: number;
    readonly tolerance?: number;
  } = {},
): void {
  Deno.test({
    name: `${name} in native code equals the reference backend`,
    ignore: !onednn.available,
    async fn() {
      for (let seed = 0; seed < seeds; seed++) {
        const expected = await valuesOn(reference, compute, seed);
        const found = await valuesOn(onednn, compute, seed);
        for (const [result, { shape, values }] of Object.entries(expected)) {
          const what = `${result} [${shape}] of seed ${seed}`;
          assertClose(found[result].values, values, { tolerance, what });
        }
      }
    },
  });
}

/** Registers a test that runs only in native code. */
export function testNative(name: string, run: () => void | Promise<void>): void {
  Deno.test({
    name,
    ignore: !onednn.available,
    async fn() {
      await using _ = await onednn.use();
      await run();
    },
  });
}

async function valuesOn(
  backend: (typeof BACKENDS)[number],
  compute: (rng: Rng) => Results,
  seed: number,
) {
  await using _ = await backend.use();
  return valuesOf(compute, seed);
}
