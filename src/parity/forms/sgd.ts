import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";
import { z } from "zod";
import { type SgdEntry, sgdUpdate } from "../../ops/mod.ts";
import { type Check, type Deviation, worstOf } from "../check.ts";
import { differenceOf, tensorDeviation } from "../compare.ts";
import { real, reals } from "../form.ts";
import type { GoldenTensors } from "../golden_tensors.ts";

/** Relative to the largest entry. */
const TOLERANCE = 1e-5;

/** Some steps of the optimiser: parameter i has the rate `lr[i]`. */
export const sgdCase = z.object({
  prefix: z.string(),
  lr: reals(),
  momentum: real(),
  weight_decay: real(),
  clip: real(),
  norm_before_clip: reals(),
});

/** Compares gradient norms, parameters and momenta after every step. */
export function checkSgd(
  { prefix, lr, momentum, weight_decay, clip, norm_before_clip }: z.infer<typeof sgdCase>,
  tensors: GoldenTensors,
): Check {
  const golden = (i: number, what: string) => tensors.tensor<Tensor>(`${prefix}.p${i}.${what}`);
  const parameters = lr.map((_, i) => golden(i, "init"));
  const velocities = parameters.map((parameter) => tf.zerosLike(parameter));
  const options = {
    loss: tf.scalar(0),
    momentum,
    weightDecay: weight_decay,
    clipNorm: clip,
    maxLoss: Infinity,
  };
  const deviations = norm_before_clip.flatMap((norm, step): Deviation[] => {
    const entries = lr.map((learningRate, i): SgdEntry => ({
      parameter: parameters[i],
      gradient: golden(i, `grad${step}`),
      velocity: velocities[i],
      learningRate,
    }));
    const [found] = sgdUpdate(entries, options).dataSync();
    const error = differenceOf([found], [norm]).most / norm;
    const after = (found: Tensor, i: number, what: string) =>
      tensorDeviation(`p${i}.${what}${step}`, found, {
        expected: golden(i, `${what}${step}`),
        tolerance: TOLERANCE,
      });
    return [
      { item: `norm before clipping in step ${step}`, error, tolerance: TOLERANCE },
      ...parameters.map((parameter, i) => after(parameter, i, "after")),
      ...velocities.map((velocity, i) => after(velocity, i, "momentum")),
    ];
  });
  return worstOf(prefix, deviations);
}
