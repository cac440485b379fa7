import type { ProcessorTarget } from "../../../src/ffi/processor.ts";
import type { Rng } from "../../../src/random.ts";
import { BACKENDS } from "../../support/backends.ts";
import { assertClose } from "../../support/close.ts";
import { type Results, valuesOf } from "../../support/results.ts";
import { testSeeds } from "../../support/seeds.ts";
import { availableTargets, useTarget } from "./levels.ts";

const [onednn, reference] = ["onednn", "reference"].map((name) =>
  BACKENDS.find((backend) => backend.name === name)!
);

/**
 * Registers tests that run `compute` on random inputs of many seeds, once on the reference backend and
 * once in native code, and compare all results: for this processor, and with fewer seeds for each lesser
 * level of native code that it can run.
 */
export function testAgainstReference(
  name: string,
  compute: (rng: Rng) => Results,
  { seeds = 12, tolerance = 1e-5 }: {
    readonly seeds?: number;
    readonly tolerance?: number;
  } = {},
): void {
  const expected = new Map<number, ReturnType<typeof valuesOf>>();
  async function compare(target: ProcessorTarget, count: number) {
    for (const seed of testSeeds(count)) {
      const wanted = expected.get(seed) ?? await valuesOn(reference.use, compute, seed);
      expected.set(seed, wanted);
      const found = await valuesOn(() => useTarget(target), compute, seed);
      for (const [result, { shape, values }] of Object.entries(wanted)) {
        const what = `${result} [${shape}] of seed ${seed}`;
        assertClose(found[result].values, values, { tolerance, what });
      }
    }
  }
  const title = `${name} in native code equals the reference backend`;
  const [widest, ...lesser] = availableTargets();
  if (widest === undefined) return Deno.test({ name: title, ignore: true, fn() {} });
  Deno.test(title, () => compare(widest, seeds));
  for (const target of lesser) {
    Deno.test(`${title}, ${target.level}`, () => compare(target, Math.ceil(seeds / 6)));
  }
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
  use: () => Promise<AsyncDisposable>,
  compute: (rng: Rng) => Results,
  seed: number,
) {
  await using _ = await use();
  return valuesOf(compute, seed);
}
