import { assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { fuseLevels } from "../../src/ops/fuse_levels.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { choose, randomTensor } from "../support/random_tensors.ts";

for (const learned of [true, false]) {
  const what = learned ? "the sum weighted by a softmax" : "the mean";
  testOnBackends(`fuseLevels() is ${what} of maps, with their gradients`, () => {
    for (let seed = 0; seed < 6; seed++) {
      tf.tidy(() => {
        const rng = new Rng(seed);
        const levels = 1 + rng.integer(4), shape = [1 + rng.integer(5), 5, 7, choose(rng, 2, 4)];
        const numbers = () => randomTensor<Tensor1D>(rng, [levels], { deviation: 0.5 });
        const weight = learned ? [numbers()] : [],
          scale = choose(rng, true, false) ? [numbers()] : [];
        const maps = Array.from({ length: levels }, () => randomTensor(rng, shape));
        const given = [...maps, ...weight, ...scale];
        const dy = randomTensor(rng, shape);
        const split = (tensors: readonly Tensor[]) => ({
          maps: tensors.slice(0, levels) as Tensor4D[],
          weight: weight.length ? tensors[levels] as Tensor1D : undefined,
          scale: scale.length ? tensors.at(-1) as Tensor1D : undefined,
        });
        const fused = (...tensors: Tensor[]) => {
          const { maps, ...options } = split(tensors);
          return fuseLevels(maps, options);
        };
        const composed = (...tensors: Tensor[]) => compose(split(tensors));
        assertClose(fused(...given), composed(...given), { what: "value" });
        const found = tf.grads(fused)(given, dy), wanted = tf.grads(composed)(given, dy);
        found.forEach((gradient, i) =>
          assertClose(gradient, wanted[i], {
            tolerance: 3e-5,
            what: `gradient ${i} of seed ${seed}`,
          })
        );
      });
    }
  });
}

Deno.test("fuseLevels() refuses maps that do not fit together", () => {
  const map = (size: number) => tf.zeros<tf.Rank.R4>([1, size, size, 2]);
  assertThrows(() => fuseLevels([]), RangeError, "0 levels");
  assertThrows(() => fuseLevels([map(2), map(3)]), RangeError, "[1,3,3,2]");
  assertThrows(() => fuseLevels([map(2)], { weight: tf.ones([2]) }), RangeError, "expected [1]");
});

/** The same of tfjs's own ops. */
function compose({ maps, weight, scale }: {
  readonly maps: readonly Tensor4D[];
  readonly weight: Tensor1D | undefined;
  readonly scale: Tensor1D | undefined;
}): Tensor4D {
  const at = (vector: Tensor, i: number) => vector.slice([i], [1]);
  const shares = weight ? tf.softmax(weight) : tf.fill([maps.length], 1 / maps.length);
  const values = scale ? maps.map((map, i) => map.mul<Tensor4D>(at(scale, i)).exp()) : maps;
  return tf.addN(values.map((value, i) => value.mul<Tensor4D>(at(shares, i))));
}
