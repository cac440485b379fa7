import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { freezeBackbone, parameterGroups } from "../../src/models/mod.ts";
import { gradients, stateDict } from "../../src/nn/mod.ts";
import { Sgd } from "../../src/training/optimizer.ts";
import { readStep, type StepFigures, toBatchTensors, trainStep } from "../../src/training/step.ts";
import { liveTensors } from "../support/leaks.ts";
import { noiseBatch, testTiny, tinyExperiment, tinyModel } from "./tiny.ts";

const SETTINGS = { momentum: 0.9, weightDecay: 0.01, clipNorm: 1, maxLoss: 1e4 };
const RATES = [0.01, 0.1];
const config = tinyExperiment();

function setUp() {
  const model = tinyModel(config);
  freezeBackbone(model, ["features"]);
  const groups = parameterGroups(model).map((group) => ({ ...group, initialLr: 1 }));
  return { model, optimizer: new Sgd(groups, SETTINGS) };
}

async function takeStep(
  { model, optimizer }: ReturnType<typeof setUp>,
  { step = 0, norms = false } = {},
): Promise<StepFigures> {
  const batch = toBatchTensors(noiseBatch(config, { epoch: 0, step }));
  const figures = await readStep(
    trainStep(model, batch, { optimizer, learningRates: RATES, norms }),
  );
  tf.dispose(Object.values(batch));
  return figures;
}

testTiny("trainStep() clips by the global norm and takes SGD's step", async () => {
  const trained = setUp(), byHand = setUp();
  using model = trained.model;
  using _ = trained.optimizer;
  using other = byHand.model;
  using __ = byHand.optimizer;
  const velocities = new Map<string, Float32Array>();
  for (let step = 0; step < 2; step++) {
    const batch = toBatchTensors(noiseBatch(config, { epoch: 0, step }));
    const { parameters } = byHand.optimizer;
    const found = gradients(parameters.map((p) => p.parameter), () => other.losses(batch));
    const values = new Map(
      [...found.gradients].map(([parameter, gradient]) => [parameter, gradient.dataSync()]),
    );
    const norm = Math.hypot(...[...values.values()].flatMap((gradient) => [...gradient]));
    const clip = Math.min(1, SETTINGS.clipNorm / (norm + 1e-6));
    assert(clip < 1, "the test should clip");
    for (const [group, { parameters }] of byHand.optimizer.groups.entries()) {
      for (const { name, parameter } of parameters) {
        const gradient = values.get(parameter)!;
        const weights = parameter.tensor.dataSync<"float32">();
        const velocity = velocities.get(name) ?? new Float32Array(gradient.length);
        weights.forEach((weight, i) => {
          velocity[i] = SETTINGS.momentum * velocity[i] + clip * gradient[i] +
            SETTINGS.weightDecay * weight;
        });
        velocities.set(name, velocity);
        parameter.overwrite(weights.map((weight, i) => weight - RATES[group] * velocity[i]));
      }
    }
    const figures = await takeStep(trained, { step });
    assertAlmostEquals(figures.gradNorm, norm, 1e-4 * norm);
    assertEquals(figures.losses.total, found.losses.total.dataSync()[0]);
    tf.dispose([...Object.values(batch), ...Object.values(found.losses)]);
    tf.dispose([...found.gradients.values()]);
  }
  const expected = stateDict(other);
  for (const [name, { data }] of stateDict(model)) {
    const wanted = expected.get(name)!.data;
    // Absolute: the bias before a batch norm has a gradient of rounding errors only.
    for (let i = 0; i < data.length; i++) {
      assertAlmostEquals(Number(data[i]), Number(wanted[i]), 1e-6, `${name}[${i}]`);
    }
  }
});

testTiny("trainStep() gives finite figures, and the norms that are asked for", async () => {
  const set = setUp();
  using model = set.model;
  using optimizer = set.optimizer;
  const weights = stateDict(model);
  const { losses, gradNorm, applied, parameterNorms } = await takeStep(set, { norms: true });
  assert(
    [...Object.values(losses), gradNorm].every((value) => Number.isFinite(value) && value > 0),
  );
  assertAlmostEquals(losses.total, losses.cls + losses.loc, 1e-6);
  assert(applied);
  assertEquals(parameterNorms!.map(({ name }) => name), optimizer.parameters.map((p) => p.name));
  const together = Math.hypot(...parameterNorms!.map(({ gradient }) => gradient));
  assertAlmostEquals(together, gradNorm, 1e-4 * gradNorm);
  for (const { name, weight } of parameterNorms!) {
    const before = Math.hypot(...Float32Array.from(weights.get(name)!.data, Number));
    assertAlmostEquals(weight, before, 1e-5 * before, name);
  }
});

testTiny("trainStep() leaves no tensor behind", async () => {
  const set = setUp();
  using _ = set.model;
  using __ = set.optimizer;
  const before = liveTensors();
  for (let step = 0; step < 3; step++) await takeStep(set, { step, norms: step === 1 });
  assertEquals(liveTensors(), before);
});

testTiny("trainStep() leaves memory flat over hundreds of steps", async ({ name }) => {
  const set = setUp();
  using model = set.model;
  using optimizer = set.optimizer;
  const batch = toBatchTensors(noiseBatch(config, { epoch: 0, step: 0 }));
  const memoryAfter = async (count: number) => {
    for (let i = 0; i < count; i++) {
      await readStep(trainStep(model, batch, { optimizer, learningRates: RATES }));
    }
    const { numTensors, numBytes } = tf.memory();
    return { numTensors, numBytes };
  };
  const [warmUp, measured] = name === "reference" ? [5, 10] : [100, 300];
  const before = await memoryAfter(warmUp);
  const resident = await residentSize();
  assertEquals(await memoryAfter(measured), before);
  const growth = (await residentSize() - resident) / 2 ** 20;
  assert(growth < 16, `${growth.toFixed(1)} MiB`);
  tf.dispose(Object.values(batch));
});

/** Bytes of memory in use, without garbage. */
async function residentSize(): Promise<number> {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  collect();
  await new Promise((resolve) => setTimeout(resolve, 50)); // memory goes back in the background
  return Deno.memoryUsage().rss;
}
