import { assert } from "@std/assert";
import { OnednnBackend } from "../../../src/backends/onednn/backend.ts";
import { ReferenceBackend } from "../../../src/backends/reference/backend.ts";
import {
  conv2dBackwardInputReference,
  conv2dBackwardWeightReference,
  conv2dReference,
} from "../../../src/backends/reference/kernels/conv2d.ts";
import { foldedConv2dReference } from "../../../src/backends/reference/kernels/folded_conv2d.ts";
import { convGeometry } from "../../../src/ops/conv2d.ts";
import { Rng } from "../../../src/random.ts";
import { assertClose } from "../../support/close.ts";
import { testSeeds } from "../../support/seeds.ts";
import { testNative } from "./against_reference.ts";
import {
  allPasses,
  type ConvKernels,
  type ConvProblem,
  type Passes,
  problemOf,
  randomProblem,
} from "./conv_problems.ts";
import { NATIVE, WAYS } from "./conv_ways.ts";
import { availableTargets, libraryFor } from "./levels.ts";

const REFERENCE: ConvKernels = {
  forward: conv2dReference,
  backwardInput: conv2dBackwardInputReference,
  backwardWeight: conv2dBackwardWeightReference,
  folded: foldedConv2dReference,
};

/** Of sums of n products: roundings add up as steps of a random walk do, each 2⁻²⁴ of the sum so far. */
const ERROR_OF_SUMS = 2 ** -24;

/** What random shapes seldom reach: more than a block of tiles, of channels, of a sum. */
const EDGES = {
  "a grid for each pixel, more tiles than a block": {
    x: [1, 20, 20, 32],
    weight: [1168, 3, 3, 32],
    geometry: convGeometry({ padding: 20, dilation: 20 }),
  },
  "channels of a power of two": {
    x: [1, 5, 6, 512],
    weight: [512, 3, 3, 512],
    geometry: convGeometry({ padding: 1 }),
  },
  "strides, and more pixels than a block of the filter's gradient": {
    x: [2, 27, 25, 70],
    weight: [210, 3, 3, 70],
    geometry: convGeometry({ stride: 2, padding: 1 }),
  },
  "one output pixel": {
    x: [9, 3, 3, 33],
    weight: [35, 3, 3, 33],
    geometry: convGeometry({}),
  },
} as const;

const problems = new Map<string, () => ConvProblem>([
  ...Object.entries(EDGES).map(([name, shapes]) =>
    [name, () => problemOf(new Rng(1), shapes)] as const
  ),
  ...testSeeds(40).map((seed) => [`seed ${seed}`, () => randomProblem(new Rng(seed))] as const),
]);
const expected = new Map<string, Passes>();

/** What the plain loops say, computed once for all ways and processors. */
function expectedOf(name: string, problem: ConvProblem): Passes {
  const known = expected.get(name) ?? allPasses(new ReferenceBackend(), REFERENCE, problem);
  expected.set(name, known);
  return known;
}

for (const [index, target] of availableTargets().entries()) {
  // All shapes on the widest, every fourth on those that few have.
  const names = [...problems.keys()].filter((_, i) => index === 0 || i % 4 === 0);
  const hasTiles = target.level === "native" && target.key.includes("amx_bf16");
  for (const [way, { options, error }] of Object.entries(WAYS)) {
    if (!hasTiles && way.includes("tiles")) continue; // it would be one of the others
    testNative(`Convolutions by ${way} equal the plain loops, ${target.level}`, async () => {
      const native = await libraryFor(target);
      for (const name of names) {
        const problem = problems.get(name)!();
        const found = allPasses(new OnednnBackend(native, options), NATIVE, problem);
        assertPassesClose(found, expectedOf(name, problem), { name, problem, error });
      }
    });
  }

  testNative(`Each way is another one where it may be, ${target.level}`, async () => {
    const native = await libraryFor(target);
    const problem = problems.get("channels of a power of two")!();
    const [tiles2, tiles3, winograd, , plain] = Object.values(WAYS).map(({ options }) =>
      allPasses(new OnednnBackend(native, options), NATIVE, problem)
    );
    for (const pass of ["y", "dx", "dweight"] as const) {
      assert(differ(winograd[pass], plain[pass]), `${pass} goes Winograd's way`);
      if (!hasTiles) continue;
      assert(differ(tiles3[pass], plain[pass]), `${pass} goes through tiles in three parts`);
      assert(differ(tiles2[pass], tiles3[pass]), `${pass} goes through tiles in two parts`);
      assert(differ(tiles2[pass], winograd[pass]), `${pass} in tiles is not Winograd's`);
    }
  });
}

function assertPassesClose(
  found: Passes,
  wanted: Passes,
  { name, problem, error }: {
    readonly name: string;
    readonly problem: ConvProblem;
    readonly error: number;
  },
): void {
  const { x, weight, dy, geometry, activation } = problem;
  const [filters, height, width, channels] = weight.shape;
  const products = height * width * channels;
  const summed = { dx: height * width * filters, dweight: dy.values.length / filters };
  for (const pass of Object.keys(wanted) as (keyof Passes)[]) {
    const { [pass]: length = products } = summed as Partial<Record<keyof Passes, number>>;
    // An activation cuts off the largest values, and the error stays.
    const cut = pass === "activated" ? largest(wanted.y) / (largest(wanted[pass]) || 1) : 1;
    const tolerance = cut * (error + ERROR_OF_SUMS * Math.sqrt(length));
    const what = `${pass} of ${name}, x [${x.shape}], weight [${weight.shape}], ` +
      `${JSON.stringify(geometry)}, ${activation}`;
    assertClose(found[pass], wanted[pass], { tolerance, what });
  }
}

function largest(values: Float32Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

function differ(one: Float32Array, other: Float32Array): boolean {
  return one.some((value, i) => value !== other[i]);
}
