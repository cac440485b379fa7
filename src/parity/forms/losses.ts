import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor, Tensor1D, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { z } from "zod";
import { iouLoss, type IouLossKind, selectCrossEntropy, selectIouLoss } from "../../ops/mod.ts";
import { type Check, type Deviation, worstOf } from "../check.ts";
import { differenceOf, tensorDeviation } from "../compare.ts";
import { attempt, defineForm, real } from "../form.ts";
import { GoldenTensors, tidied } from "../golden_tensors.ts";

/** Relative to the loss, or to the largest entry of a gradient. */
const TOLERANCE = 1e-5;

const crossEntropyCase = z.object({
  prefix: z.string(),
  loss: real().optional(),
  /** Where the published code loses a class that has one point only. */
  loss_by_formula: real().optional(),
});
/** Without a loss the published code stops with `error`. */
const iouCase = z.object({ prefix: z.string(), loss: real().optional() });
const flatCase = z.object({
  type: z.enum(["iou", "linear_iou", "giou"]),
  weight: z.string(),
  loss: real(),
  grad: z.string(),
});

type CrossEntropyCase = z.infer<typeof crossEntropyCase>;
type IouCase = z.infer<typeof iouCase>;
type FlatCase = z.infer<typeof flatCase>;

/** The losses with their gradients. */
export const lossesForm = defineForm({
  section: "ops",
  content: z.object({
    select_cross_entropy_loss: z.array(crossEntropyCase).default([]),
    select_iou_loss: z.array(iouCase).default([]),
    iou: z.array(flatCase).default([]),
  }).refine((kinds) => Object.values(kinds).some(({ length }) => length > 0)),
  async *compare({ path, content, folder }) {
    const tensors = new GoldenTensors(await folder.tensorsBeside(path));
    for (const one of content.select_cross_entropy_loss) {
      const name = `select_cross_entropy_loss ${one.prefix}`;
      yield* attempt(name, () => tidied(() => checkCrossEntropy(name, one, tensors)));
    }
    for (const one of content.select_iou_loss) {
      const name = `select_iou_loss ${one.prefix}`;
      yield* attempt(name, () => tidied(() => checkIou(name, one, tensors)));
    }
    for (const one of content.iou) {
      const name = `iou ${one.type}, weight ${one.weight}`;
      yield* attempt(name, () => tidied(() => checkFlat(name, one, tensors)));
    }
  },
});

function checkCrossEntropy(
  name: string,
  { prefix, loss, loss_by_formula: expected = loss ?? 0 }: CrossEntropyCase,
  tensors: GoldenTensors,
): Check {
  const labels = tensors.tensor<Tensor3D>(`${prefix}.label`);
  const pass = tf.valueAndGrad((logits: Tensor4D) => selectCrossEntropy(logits, labels))(
    tensors.channelsLast(`${prefix}.cls_raw`),
  );
  const gradients = ["grad_cls_raw_by_formula", "grad_cls_raw"].map((key) => `${prefix}.${key}`);
  return checkLoss(name, pass, { expected, gradient: firstOf(gradients, tensors) });
}

function checkIou(name: string, { prefix, loss = 0 }: IouCase, tensors: GoldenTensors): Check {
  const labels = tensors.tensor<Tensor3D>(`${prefix}.label`);
  const target = tensors.channelsLast(`${prefix}.target`);
  const pass = tf.valueAndGrad((pred: Tensor4D) => selectIouLoss(pred, target, labels))(
    tensors.channelsLast(`${prefix}.pred`),
  );
  return checkLoss(name, pass, {
    expected: loss,
    gradient: firstOf([`${prefix}.grad_pred`], tensors),
  });
}

/** The gradient of the formula where there is one; of a constant there is none. */
function firstOf(names: readonly string[], tensors: GoldenTensors): Tensor4D | undefined {
  const name = names.find((name) => tensors.has(name));
  return name === undefined ? undefined : tensors.channelsLast(name);
}

function checkFlat(name: string, one: FlatCase, tensors: GoldenTensors): Check {
  const pred = tensors.tensor("flat.pred"), target = tensors.tensor("flat.target");
  const boxes = pred.shape[0];
  const weights: Readonly<Record<string, () => Tensor1D>> = {
    none: () => tf.ones([boxes]),
    zero_weight: () => tf.zeros([boxes]),
  };
  const weight = weights[one.weight]?.() ?? tensors.tensor<Tensor1D>(`flat.${one.weight}`);
  const kind: IouLossKind = one.type;
  const pass = tf.valueAndGrad((pred: Tensor) => iouLoss(pred, target, { weight, kind }))(pred);
  return checkLoss(name, pass, { expected: one.loss, gradient: tensors.tensor(one.grad) });
}

function checkLoss(
  name: string,
  { value, grad }: { readonly value: Scalar | Tensor; readonly grad: Tensor },
  { expected, gradient = tf.zerosLike(grad) }: {
    readonly expected: number;
    readonly gradient?: Tensor;
  },
): Check {
  const { most } = differenceOf(value.dataSync(), [expected]);
  const loss: Deviation = {
    item: "loss",
    error: most / (Math.abs(expected) || 1),
    tolerance: TOLERANCE,
  };
  return worstOf(name, [
    loss,
    tensorDeviation("gradient", grad, { expected: gradient, tolerance: TOLERANCE }),
  ]);
}
