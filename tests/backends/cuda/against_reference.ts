import { assertEquals, AssertionError } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { CudaBackend } from "../../../src/backends/cuda/backend.ts";
import { type BackendOptions, useBackend } from "../../../src/backends/mod.ts";
import type { Rng } from "../../../src/random.ts";
import { assertClose } from "../../support/close.ts";
import { type Results, valuesOf } from "../../support/results.ts";
import { missing } from "./emulated/device.ts";

/** Orders in which the emulated device runs threads; a missing barrier shows in one of them. */
const ORDERS = ["forward", "reverse"] as const;

/** How a computation on the device is compared. */
export interface Comparison {
  readonly seeds?: number;
  /** Largest difference relative to the largest value; see `assertClose`. */
  readonly tolerance?: number;
  /** Settings of the device; by default each access to memory is checked. */
  readonly options?: BackendOptions;
}

/**
 * Registers a test that runs `compute` on random inputs of many seeds on the reference backend and on the
 * emulated device, there in both orders of threads, which must give the same bits, and without a kernel
 * of the host.
 */
export function testOnCuda(
  name: string,
  compute: (rng: Rng) => Results,
  { seeds = 8, tolerance = 1e-5, options = { deviceDebug: true } }: Comparison = {},
): void {
  testEmulated(`${name} on the device equals the reference backend`, async () => {
    for (let seed = 0; seed < seeds; seed++) {
      const expected = await valuesOn("reference", compute, { seed });
      const [forward, reverse] = [
        await inOrder(ORDERS[0], () => valuesOn("emulated", compute, { seed, options })),
        await inOrder(ORDERS[1], () => valuesOn("emulated", compute, { seed, options })),
      ];
      for (const [result, { shape, values }] of Object.entries(expected)) {
        const what = `${result} [${shape}] of seed ${seed}`;
        assertEquals(forward[result].shape, shape, what);
        assertClose(forward[result].values, values, { tolerance, what });
        assertSameBits(reverse[result].values, forward[result].values, `${what} in reverse order`);
      }
    }
  });
}

/** Registers a test that needs the emulated device; ignored, with the reason, where there is none. */
export function testEmulated(name: string, run: () => void | Promise<void>): void {
  Deno.test({
    name: missing ? `${name} (${missing.split("\n")[0]})` : name,
    ignore: missing !== undefined,
    fn: run,
  });
}

/** Runs something with the threads of the emulated device in an order. */
export async function inOrder<T>(order: string, run: () => Promise<T>): Promise<T> {
  Deno.env.set("SIAMBAN_EMULATED_ORDER", order);
  try {
    return await run();
  } finally {
    Deno.env.delete("SIAMBAN_EMULATED_ORDER");
  }
}

/** Much faster on long arrays than `assertEquals`. */
function assertSameBits(found: ArrayLike<number>, wanted: ArrayLike<number>, what: string): void {
  assertEquals(found.length, wanted.length, what);
  for (let i = 0; i < wanted.length; i++) {
    if (Object.is(found[i], wanted[i])) continue;
    throw new AssertionError(`${what}: element ${i} is ${found[i]}, not ${wanted[i]}`);
  }
}

/** Calls of tfjs's own kernels that the device in use has left to the host so far. */
export function hostCalls(): Record<string, number> {
  const backend = tf.backend() as Partial<CudaBackend>;
  return Object.fromEntries(backend.statistics?.().hostKernels ?? []);
}

async function valuesOn(
  name: "reference" | "emulated",
  compute: (rng: Rng) => Results,
  { seed, options }: { readonly seed: number; readonly options?: BackendOptions },
) {
  await using _ = await useBackend(name, options);
  const before = hostCalls();
  const values = valuesOf(compute, seed);
  assertEquals(hostCalls(), before, `kernels of the host in seed ${seed}`);
  return values;
}
