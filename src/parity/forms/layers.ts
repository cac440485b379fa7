import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { z } from "zod";
import { activate, batchNorm, conv2d, maxPool2d, type NormTensors } from "../../ops/mod.ts";
import { type Check, worstOf } from "../check.ts";
import { tensorDeviation } from "../compare.ts";
import { attempt, defineForm, type Finding, real, reals } from "../form.ts";
import { GoldenTensors, tidied } from "../golden_tensors.ts";
import { checkSgd, sgdCase } from "./sgd.ts";

/** Relative to the largest entry. */
const TOLERANCE = 1e-5;

const prefix = z.string();
const convCase = z.object({
  prefix,
  stride: real(),
  padding: real(),
  dilation: real(),
  groups: real(),
  bias: z.boolean(),
});
const normCase = z.object({
  prefix,
  train: z.boolean(),
  eps: real(),
  momentum: real(),
  x: reals(),
});
const poolCase = z.object({ prefix, kernel: real(), stride: real(), padding: real() });
const activationCase = z.object({ prefix, op: z.string() });

/** Layers and the optimiser, forward and backward. */
export const layersForm = defineForm({
  section: "ops",
  content: z.object({
    conv2d: z.array(convCase).default([]),
    batch_norm: z.array(normCase).default([]),
    max_pool: z.array(poolCase).default([]),
    act: z.array(activationCase).default([]),
    sgd: z.array(sgdCase).default([]),
  }).refine((kinds) => Object.values(kinds).some(({ length }) => length > 0)),
  async *compare({ path, content, folder }) {
    const tensors = new GoldenTensors(await folder.tensorsBeside(path));
    const each = async function* <C extends { prefix: string }>(
      cases: readonly C[],
      compare: (one: C, tensors: GoldenTensors) => Finding,
    ) {
      for (const one of cases) {
        yield* attempt(one.prefix, () => tidied(() => compare(one, tensors)));
      }
    };
    yield* each(content.conv2d, checkConv);
    yield* each(content.batch_norm, checkNorm);
    yield* each(content.max_pool, checkPool);
    yield* each(content.act, checkActivation);
    yield* each(content.sgd, checkSgd);
  },
});

function checkConv(
  { prefix, bias, ...geometry }: z.infer<typeof convCase>,
  tensors: GoldenTensors,
): Check {
  const wide = (name: string) => tensors.channelsLast(`${prefix}.${name}`);
  const inputs: Tensor[] = [wide("x"), wide("weight")];
  if (bias) inputs.push(tensors.tensor(`${prefix}.bias`));
  const { value, grads } = tf.valueAndGrads((x, weight, bias?) =>
    conv2d(x as Tensor4D, weight as Tensor4D, { ...geometry, bias: bias as Tensor1D })
  )(inputs, wide("grad_out"));
  return checkTensors(prefix, {
    out: [value, wide("out")],
    grad_x: [grads[0], wide("grad_x")],
    grad_weight: [grads[1], wide("grad_weight")],
    ...(bias && { grad_bias: [grads[2], tensors.tensor(`${prefix}.grad_bias`)] }),
  });
}

function checkNorm(
  { prefix, train: training, eps: epsilon, momentum }: z.infer<typeof normCase>,
  tensors: GoldenTensors,
): Check {
  const wide = (name: string) => tensors.channelsLast(`${prefix}.${name}`);
  const flat = (name: string) => tensors.tensor<Tensor1D>(`${prefix}.${name}`);
  const runningMean = flat("running_mean"), runningVar = flat("running_var");
  const options = { training, epsilon, momentum, activation: "none" } as const;
  const { value, grads: [dx, dweight, dbias] } = tf.valueAndGrads((x, weight, bias) => {
    const norm = { weight, bias, runningMean, runningVar } as NormTensors;
    return batchNorm(x as Tensor4D, norm, options);
  })([wide("x"), flat("weight"), flat("bias")], wide("grad_out"));
  return checkTensors(prefix, {
    out: [value, wide("out")],
    grad_x: [dx, wide("grad_x")],
    grad_weight: [dweight, flat("grad_weight")],
    grad_bias: [dbias, flat("grad_bias")],
    running_mean_after: [runningMean, flat("running_mean_after")],
    running_var_after: [runningVar, flat("running_var_after")],
  });
}

function checkPool(
  { prefix, ...geometry }: z.infer<typeof poolCase>,
  tensors: GoldenTensors,
): Check {
  const wide = (name: string) => tensors.channelsLast(`${prefix}.${name}`);
  const pass = tf.valueAndGrad((x: Tensor4D) => maxPool2d(x, geometry))(
    wide("x"),
    wide("grad_out"),
  );
  return checkTensors(prefix, {
    out: [pass.value, wide("out")],
    grad_x: [pass.grad, wide("grad_x")],
  });
}

type Pointwise = (x: Tensor) => Tensor;

/** Ours on the left of tfjs's own: both run on the backend in use. */
const ACTIVATIONS: Readonly<Record<string, Pointwise>> = {
  relu: (x) => activate(x as Tensor4D, "relu"),
  relu6: (x) => activate(x as Tensor4D, "relu6"),
  exp: (x) => x.exp(),
  sigmoid: (x) => x.sigmoid(),
  softmax_dim0: (x) => x.transpose().softmax().transpose(),
  log_softmax_last: (x) => x.logSoftmax(),
};

function checkActivation(
  { prefix, op }: z.infer<typeof activationCase>,
  tensors: GoldenTensors,
): Finding {
  if (!Object.hasOwn(ACTIVATIONS, op)) return { name: prefix, reason: `no layer here is ${op}` };
  const golden = (name: string) => tensors.tensor(`${prefix}.${name}`);
  const pass = tf.valueAndGrad(ACTIVATIONS[op])(golden("x"), golden("grad_out"));
  return checkTensors(prefix, {
    out: [pass.value, golden("out")],
    grad_x: [pass.grad, golden("grad_x")],
  });
}

function checkTensors(
  name: string,
  pairs: Readonly<Record<string, readonly [found: Tensor, expected: Tensor]>>,
): Check {
  return worstOf(
    name,
    Object.entries(pairs).map(([item, [found, expected]]) =>
      tensorDeviation(item, found, { expected, tolerance: TOLERANCE })
    ),
  );
}
