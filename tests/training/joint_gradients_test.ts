import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Collective } from "../../src/collective.ts";
import { ALONE } from "../../src/collective.ts";
import { namedParameters, setTraining } from "../../src/nn/mod.ts";
import { jointGradients, type JointOptions } from "../../src/training/joint_gradients.ts";
import { toBatchTensors } from "../../src/training/step.ts";
import { liveTensors } from "../support/leaks.ts";
import { noiseBatch, testTiny, tinyExperiment, tinyModel } from "./tiny.ts";

const config = tinyExperiment({ training: { batchSize: 5 } });

/** A rank among two that have the same batch. */
const TWIN: Collective = {
  ...ALONE,
  size: 2,
  sum(values) {
    for (let i = 0; i < values.length; i++) values[i] *= 2;
  },
};

/** Losses and gradients in evaluation mode, where pairs do not know of each other. */
function passOf(options: Partial<JointOptions>) {
  using model = tinyModel(config);
  setTraining(model, false);
  const batch = toBatchTensors(noiseBatch(config, { epoch: 0, step: 0 }));
  const named = [...namedParameters(model)];
  const parameters = named.map(({ parameter }) => parameter);
  const before = liveTensors().tensors;
  const { losses, own, gradients } = jointGradients(model, batch, {
    parameters,
    collective: ALONE,
    reduction: "mean",
    ...options,
  });
  const kept = liveTensors().tensors - before;
  assertEquals(kept, 3 + (own ? 1 : 0) + gradients.size, "Tensors left behind");
  const figures = {
    total: losses.total.dataSync()[0],
    own: own?.dataSync()[0],
    gradients: named.map(({ parameter }) => gradients.get(parameter)!.dataSync()),
  };
  tf.dispose([...Object.values(losses), ...own ? [own] : [], ...gradients.values()]);
  tf.dispose({ ...batch });
  return figures;
}

function assertClose(found: readonly ArrayLike<number>[], wanted: readonly ArrayLike<number>[]) {
  found.forEach((values, i) => {
    const largest = Math.max(...Array.from(wanted[i], Math.abs));
    for (let k = 0; k < values.length; k++) {
      assert(Math.abs(values[k] - wanted[i][k]) <= 1e-4 * largest + 1e-9, `${i}, ${k}`);
    }
  });
}

testTiny("micro-batches of any size give the losses and gradients of the whole batch", () => {
  const whole = passOf({});
  for (const microBatch of [1, 2, 3, 7]) {
    const parts = passOf({ microBatch });
    assertAlmostEquals(parts.total, whole.total, 1e-5);
    assertClose(parts.gradients, whole.gradients);
  }
});

testTiny("gradients of ranks with the same batch average to its gradient, or add up", () => {
  const alone = passOf({});
  const mean = passOf({ collective: TWIN });
  assertAlmostEquals(mean.total, alone.total, 1e-5);
  assertAlmostEquals(mean.own!, alone.total / 2, 1e-5);
  assertClose(mean.gradients, alone.gradients);
  const sum = passOf({ collective: TWIN, reduction: "sum", microBatch: 2 });
  assertAlmostEquals(sum.total, alone.total, 1e-5);
  assertClose(sum.gradients, alone.gradients.map((values) => Array.from(values, (v) => 2 * v)));
});
