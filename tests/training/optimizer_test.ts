import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor } from "@tensorflow/tfjs";
import { Parameter } from "../../src/nn/mod.ts";
import { buildOptimizer, Sgd } from "../../src/training/optimizer.ts";
import { testTiny, tinyExperiment, tinyModel } from "./tiny.ts";

const SETTINGS = { momentum: 0.5, weightDecay: 0, clipNorm: 0, maxLoss: 100 };

/** Two groups of one filter bank and one vector, all ones. */
function twoGroups() {
  const bank = new Parameter([2, 1, 3, 1], 1), vector = new Parameter([2], 1);
  const optimizer = new Sgd([
    { name: "backbone", initialLr: 1, parameters: [{ name: "backbone.w", parameter: bank }] },
    { name: "head", initialLr: 1, parameters: [{ name: "head.b", parameter: vector }] },
  ], SETTINGS);
  return { bank, vector, optimizer };
}

function stepOf(
  optimizer: Sgd,
  gradients: ReadonlyMap<Parameter, Tensor>,
  { loss = 1, learningRates = [1, 1] } = {},
): Float32Array {
  const value: Scalar = tf.scalar(loss);
  const update = optimizer.step(gradients, { learningRates, loss: value });
  const figures = update.dataSync<"float32">();
  tf.dispose([value, update]);
  return figures;
}

testTiny("Sgd.step() takes each group's rate and carries the momentum on", () => {
  const { bank, vector, optimizer } = twoGroups();
  using _ = optimizer;
  const found = new Map<Parameter, Tensor>([
    [bank, tf.fill([2, 1, 3, 1], 0.5)],
    [vector, tf.fill([2], 2)],
  ]);
  const [norm, , applied] = stepOf(optimizer, found, { learningRates: [0.1, 0.01] });
  assertAlmostEquals(norm, Math.hypot(Math.sqrt(6) * 0.5, Math.sqrt(2) * 2), 1e-6);
  assertEquals(applied, 1);
  assertAlmostEquals(bank.tensor.dataSync()[5], 1 - 0.1 * 0.5, 1e-6);
  assertAlmostEquals(vector.tensor.dataSync()[1], 1 - 0.01 * 2, 1e-6);
  stepOf(optimizer, found, { learningRates: [0.1, 0.01] });
  assertAlmostEquals(bank.tensor.dataSync()[5], 1 - 0.1 * (0.5 + 0.75), 1e-6);
  tf.dispose([...found.values(), bank.tensor, vector.tensor]);
});

testTiny("Sgd.step() leaves a parameter without a gradient as it is", () => {
  const { bank, vector, optimizer } = twoGroups();
  using _ = optimizer;
  const found = new Map([[vector, tf.fill([2], 2)]]);
  stepOf(optimizer, found);
  assertEquals(bank.tensor.dataSync(), new Float32Array(6).fill(1));
  assertEquals(vector.tensor.dataSync(), new Float32Array(2).fill(-1));
  tf.dispose([...found.values(), bank.tensor, vector.tensor]);
});

testTiny("Sgd.step() changes nothing on a loss that is none or too large", () => {
  const { bank, vector, optimizer } = twoGroups();
  using _ = optimizer;
  const found = new Map([[vector, tf.fill([2], 2)]]);
  for (const loss of [NaN, Infinity, 101]) {
    const [, , applied] = stepOf(optimizer, found, { loss });
    assertEquals(applied, 0, `${loss}`);
  }
  assertEquals(vector.tensor.dataSync(), new Float32Array(2).fill(1));
  assertEquals(optimizer.velocities().get("head.b")!.data, new Float32Array(2));
  tf.dispose([...found.values(), bank.tensor, vector.tensor]);
});

testTiny(
  "Sgd.velocities() are in PyTorch's layout, and Sgd.restore() takes them over",
  () => {
    const from = twoGroups(), to = twoGroups();
    using first = from.optimizer;
    using second = to.optimizer;
    const gradient = tf.tensor4d([0, 1, 2, 3, 4, 5], [2, 1, 3, 1]);
    stepOf(first, new Map([[from.bank, gradient]]));
    const saved = first.velocities();
    assertEquals(saved.get("backbone.w")!.shape, [2, 1, 1, 3]); // OHWI to OIHW
    second.restore(saved);
    assertEquals(second.velocities(), saved);
    assertThrows(
      () => second.restore(new Map([...saved].slice(1))),
      RangeError,
      'Cannot restore the momentum of "backbone.w": the checkpoint holds that of 1',
    );
    tf.dispose([
      gradient,
      ...[from, to].flatMap(({ bank, vector }) => [bank.tensor, vector.tensor]),
    ]);
  },
);

testTiny("buildOptimizer() takes the backbone's layers in when it trains", () => {
  const config = tinyExperiment({ backbone: { layersLr: 0.1 }, training: { baseLr: 0.02 } });
  using model = tinyModel(config);
  const groups = [false, true].map((backbone) => {
    using optimizer = buildOptimizer(model, config, { backbone, norms: true });
    return optimizer.groups;
  });
  const rates = groups[1].map(({ name, initialLr }) => `${name} ${initialLr}`);
  assertEquals(rates, ["backbone 0.002", "head 0.02"]);
  assertEquals(groups[0][0].parameters, []);
  assert(groups[1][0].parameters.every(({ name }) => name.startsWith("backbone.features.")));
});
