import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { z } from "zod";
import { xcorrDepthwise, xcorrFast } from "../../ops/mod.ts";
import { type Check, worstOf } from "../check.ts";
import { tensorDeviation } from "../compare.ts";
import { attempt, defineForm } from "../form.ts";
import { GoldenTensors, tidied } from "../golden_tensors.ts";

/** Relative to the largest entry. */
const TOLERANCE = 1e-5;

type Xcorr = (x: Tensor4D, z: Tensor4D) => Tensor4D;

const OPS: Readonly<Record<string, Xcorr>> = {
  xcorr_depthwise: (x, z) => xcorrDepthwise(...withSquareTemplate(x, z)),
  xcorr_fast: xcorrFast,
  // The loop form of the reference is the fast one with a single kernel.
  xcorr_slow: xcorrFast,
};

/** Cross-correlations, forward and both gradients. */
export const xcorrForm = defineForm({
  section: "ops",
  content: z.object({
    cases: z.array(z.object({ op: z.string().startsWith("xcorr"), prefix: z.string() })).min(1),
  }),
  async *compare({ path, content, folder }) {
    const tensors = new GoldenTensors(await folder.tensorsBeside(path));
    for (const { op, prefix } of content.cases) {
      if (!Object.hasOwn(OPS, op)) yield { name: `${path}: ${prefix}`, reason: `no op is ${op}` };
      else yield* attempt(prefix, () => checkXcorr(prefix, OPS[op], tensors));
    }
  },
});

function checkXcorr(prefix: string, op: Xcorr, tensors: GoldenTensors): Check {
  return tidied(() => {
    const golden = (name: string) => tensors.channelsLast(`${prefix}.${name}`);
    const { value, grads: [dx, dz] } = tf.valueAndGrads((x, z) => op(x as Tensor4D, z as Tensor4D))(
      [golden("x"), golden("z")],
      golden("grad_out"),
    );
    const found = { out: value, grad_x: dx, grad_z: dz };
    return worstOf(
      prefix,
      Object.entries(found).map(([name, tensor]) =>
        tensorDeviation(name, tensor, { expected: golden(name), tolerance: TOLERANCE })
      ),
    );
  });
}

/** The op takes square templates: zeros below or right of both images change nothing. */
function withSquareTemplate(x: Tensor4D, z: Tensor4D): [Tensor4D, Tensor4D] {
  const [, height, width] = z.shape;
  const below = Math.max(0, width - height), right = Math.max(0, height - width);
  if (below + right === 0) return [x, z];
  const padded = (image: Tensor4D) => tf.pad(image, [[0, 0], [0, below], [0, right], [0, 0]]);
  return [padded(x), padded(z)];
}
