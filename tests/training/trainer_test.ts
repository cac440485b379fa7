import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertInstanceOf,
  assertNotEquals,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import type { Batch } from "../../src/data/batches.ts";
import { BatchNorm2d, modules, stateDict } from "../../src/nn/mod.ts";
import type { StateDict } from "../../src/weights/mod.ts";
import { lrSpaceOf } from "../../src/training/learning_rates.ts";
import { DivergedError, Trainer } from "../../src/training/trainer.ts";
import type { TrainingEvent } from "../../src/training/trainer.ts";
import { liveTensors } from "../support/leaks.ts";
import {
  noiseBatches,
  reportsOf,
  testTiny,
  tinyExperiment,
  tinyModel,
  trainOnNoise,
} from "./tiny.ts";

/** An event in one line. */
function lineOf(event: TrainingEvent): string {
  switch (event.kind) {
    case "stage":
      return `stage ${event.epoch} ${event.backbone ? "with" : "without"} backbone`;
    case "frozenNorms":
      return `frozen norms ${event.epoch}`;
    case "step":
      return `step ${event.report.epoch}.${event.report.step}`;
    case "pause":
      return `pause ${event.position.epoch}.${event.position.step}` +
        (event.epochEnd ? " epoch end" : "");
  }
}

/** Batches of which those of some global steps are changed. */
function at(steps: readonly number[], change: (batch: Batch) => Partial<Batch>, perEpoch: number) {
  return (batch: Batch) =>
    steps.includes(batch.epoch * perEpoch + batch.step) ? { ...batch, ...change(batch) } : batch;
}

function withPixel(value: number) {
  return ({ template }: Batch) => ({ template: template.with(1000, value) });
}

testTiny("Trainer.run() tells stages, steps and pauses in order", async () => {
  const config = tinyExperiment({ backbone: { trainEpoch: 1 }, training: { epochs: 2 } });
  using model = tinyModel(config);
  const events = await trainOnNoise(model, { config, stepsPerEpoch: 5, pauseEvery: 2 });
  assertEquals(events.map(lineOf), [
    "stage 0 without backbone",
    "step 0.0",
    "step 0.1",
    "pause 0.2",
    "step 0.2",
    "step 0.3",
    "pause 0.4",
    "step 0.4",
    "pause 1.0 epoch end",
    "stage 1 with backbone",
    "step 1.0",
    "step 1.1",
    "pause 1.2",
    "step 1.2",
    "step 1.3",
    "pause 1.4",
    "step 1.4",
    "pause 2.0 epoch end",
  ]);
});

testTiny(
  "Trainer.run() pauses once where the end of an epoch is also a regular pause",
  async () => {
    const config = tinyExperiment({ training: { epochs: 1 } });
    using model = tinyModel(config);
    const events = await trainOnNoise(model, { config, stepsPerEpoch: 2, pauseEvery: 2 });
    const pauses = events.map(lineOf).filter((line) => line.startsWith("pause"));
    assertEquals(pauses, ["pause 1.0 epoch end"]);
  },
);

testTiny("Trainer reports indices, rates and times of each step", async () => {
  const config = tinyExperiment({ backbone: { trainEpoch: 1, layersLr: 0.1 } });
  using model = tinyModel(config);
  const reports = reportsOf(await trainOnNoise(model, { config, stepsPerEpoch: 2 }));
  const space = lrSpaceOf(config);
  assertAlmostEquals(space.at(1), Math.sqrt(0.01 * 0.001), 1e-12);
  assertEquals(reports.map(({ globalStep }) => globalStep), [0, 1, 2, 3, 4, 5]);
  for (const report of reports) {
    const { epoch, step, lr, groupLrs, batchTime, dataTime, pairsPerSecond } = report;
    assertEquals([epoch, step], [Math.floor(report.globalStep / 2), report.globalStep % 2]);
    assertEquals(report.stepsPerEpoch, 2);
    assertEquals(lr, space.at(epoch));
    assertAlmostEquals(groupLrs[0], 0.1 * lr, 1e-12);
    assertAlmostEquals(groupLrs[1], lr, 1e-12);
    assert(dataTime > 0 && dataTime < batchTime);
    assertAlmostEquals(pairsPerSecond!, 2 / batchTime, 1e-9);
    assertEquals(report.skipped, undefined);
    assert(Number.isFinite(report.gradNorm));
    assertEquals(report.parameterNorms, undefined);
  }
});

testTiny(
  "Trainer freezes the backbone, norms too, until its epoch, and then starts anew",
  async () => {
    const config = tinyExperiment({ backbone: { trainEpoch: 1 }, training: { epochs: 2 } });
    using model = tinyModel(config);
    using trainer = new Trainer(model, { config, stepsPerEpoch: 2 });
    const norms = [...modules(model.backbone)].filter((module) => module instanceof BatchNorm2d);
    const states: StateDict[] = [];
    const momentum: number[] = [], modes: boolean[] = [];
    for await (const event of trainer.run(noiseBatches(config, { stepsPerEpoch: 2 }))) {
      if (event.kind === "step") continue;
      states.push(stateDict(model));
      momentum.push(largest(trainer.optimizer.velocities()));
      modes.push(norms.every(({ training }) => training));
      const parts = trainer.optimizer.groups.map(({ parameters }) => parameters.length > 0);
      assertEquals(parts, [states.length > 2, true]);
    }
    const changes = (from: number, to: number) =>
      ["backbone.", "head."].map((part) => differs(states[from], states[to], part));
    assertEquals(modes, [false, false, true, true]);
    assertEquals(changes(0, 1), [false, true]);
    assertEquals(changes(2, 3), [true, true]);
    assert(differs(states[2], states[3], "backbone.features.1.running_"));
    assertEquals(momentum.map((value) => value > 0), [false, true, false, true]);
  },
);

testTiny(
  "Trainer keeps the norms' running statistics from their epoch on, and trains",
  async () => {
    const training = { epochs: 4, freezeNormsEpoch: 2 };
    const config = tinyExperiment({ backbone: { trainEpoch: 3 }, training });
    using model = tinyModel(config);
    const states: StateDict[] = [], lines: string[] = [];
    using trainer = new Trainer(model, { config, stepsPerEpoch: 2 });
    for await (const event of trainer.run(noiseBatches(config, { stepsPerEpoch: 2 }))) {
      if (event.kind === "pause") states.push(stateDict(model));
      if (event.kind !== "step") lines.push(lineOf(event));
    }
    assertEquals(lines.filter((line) => !line.startsWith("pause")), [
      "stage 0 without backbone",
      "frozen norms 2",
      "stage 3 with backbone",
    ]);
    const statistics = (state: StateDict) => [...state].filter(([name]) => /running_/.test(name));
    assertNotEquals(statistics(states[0]), statistics(states[1]));
    assertEquals(statistics(states[2]), statistics(states[1]));
    assertEquals(statistics(states[3]), statistics(states[1]));
    for (const [before, after] of [[1, 2], [2, 3]]) {
      const norm = [...states[before].keys()]
        .find((name) => name.startsWith("head.") && name.endsWith("running_mean"))!
        .replace("running_mean", "weight");
      assert(differs(states[before], states[after], norm));
    }
    // Who comes later finds them frozen.
    using late = tinyModel(config);
    const resume = { position: { epoch: 2, step: 1 }, velocities: trainer.optimizer.velocities() };
    using resumed = new Trainer(late, { config, stepsPerEpoch: 2, resume });
    const first = resumed.run(noiseBatches(config, { stepsPerEpoch: 2, start: resume.position }));
    const told = [(await first.next()).value, (await first.next()).value] as TrainingEvent[];
    assertEquals(told.map(lineOf), ["stage 2 without backbone", "frozen norms 2"]);
    await first.return(undefined as never);
  },
);

testTiny("Trainer.run() refuses batches that end early or belong to other steps", async () => {
  const config = tinyExperiment();
  using model = tinyModel(config);
  const few = { ...config, training: { ...config.training, epochs: 1 } };
  for (
    const [batches, message] of [
      [noiseBatches(few, { stepsPerEpoch: 2 }), "the batches end before epoch 2 step 1 of 2"],
      [
        noiseBatches(config, { stepsPerEpoch: 2, start: { epoch: 0, step: 1 } }),
        "the batch is that of epoch 1 step 2, expected that of epoch 1 step 1 of 2",
      ],
    ] as const
  ) {
    using trainer = new Trainer(model, { config, stepsPerEpoch: 2 });
    await assertRejects(() => Array.fromAsync(trainer.run(batches)), RangeError, message);
  }
});

testTiny("Trainer.run() passes on what fails within a step", async () => {
  const config = tinyExperiment();
  using model = tinyModel(config);
  const spoil = at([1], ({ template }) => ({ template: template.subarray(0, 6) }), 4);
  await assertRejects(() => trainOnNoise(model, { config, stepsPerEpoch: 4 }, spoil), Error);
});

testTiny("Trainer.run() ends its source and frees its tensors when it is left", async () => {
  const config = tinyExperiment();
  using model = tinyModel(config);
  const before = liveTensors();
  let ended = false;
  async function* source() {
    try {
      yield* noiseBatches(config, { stepsPerEpoch: 4 });
    } finally {
      ended = true;
    }
  }
  {
    using trainer = new Trainer(model, { config, stepsPerEpoch: 4 });
    for await (const event of trainer.run(source())) if (event.kind === "step") break;
  }
  assert(ended);
  await new Promise((resolve) => setTimeout(resolve)); // the step under way is read and freed
  assertEquals(liveTensors(), before);
});

testTiny("Trainer trains on a batch without a positive point", async () => {
  const config = tinyExperiment({ training: { epochs: 1 } });
  using model = tinyModel(config);
  const without = at([1], ({ labelCls }) => ({ labelCls: labelCls.map((c) => Math.min(c, 0)) }), 3);
  const reports = reportsOf(await trainOnNoise(model, { config, stepsPerEpoch: 3 }, without));
  assertEquals(reports.map(({ losses }) => losses.loc > 0), [true, false, true]);
  assertEquals(reports[1].losses.loc, 0);
  assertEquals(reports.map(({ skipped }) => skipped), [undefined, undefined, undefined]);
});

for (const value of [NaN, Infinity]) {
  testTiny(`Trainer skips a step on a pixel that is ${value}, and recovers`, async () => {
    const config = tinyExperiment({ training: { epochs: 1 } });
    using model = tinyModel(config);
    using trainer = new Trainer(model, { config, stepsPerEpoch: 4, pauseEvery: 1 });
    const batches = noiseBatches(config, {
      stepsPerEpoch: 4,
      change: at([1], withPixel(value), 4),
    });
    const reports = [], states: StateDict[] = [], momenta: StateDict[] = [];
    for await (const event of trainer.run(batches)) {
      if (event.kind === "step") reports.push(event.report);
      if (event.kind !== "pause") continue;
      states.push(stateDict(model));
      momenta.push(trainer.optimizer.velocities());
    }
    assertEquals(reports.map(({ skipped }) => skipped !== undefined), [false, true, false, false]);
    assertStringIncludes(reports[1].skipped!, "e0.s1.0.z.jpg + e0.s1.0.x.jpg, e0.s1.1.z.jpg");
    const parameters = trainer.optimizer.parameters.map(({ name }) => name);
    assert(parameters.every((name) => !differs(states[0], states[1], name)));
    assertEquals(momenta[1], momenta[0]);
    for (const state of states) {
      for (const [name, { data }] of state) {
        assert(Array.from(data, Number).every(Number.isFinite), `${name} is not finite`);
      }
    }
    assert(differs(states[1], states[2], "head."));
    assert(Number.isFinite(reports[3].losses.total));
  });
}

testTiny("Trainer stops with a DivergedError after some skipped steps in a row", async () => {
  const config = tinyExperiment({ training: { epochs: 1, maxSkippedSteps: 3 } });
  using model = tinyModel(config);
  using trainer = new Trainer(model, { config, stepsPerEpoch: 9 });
  const change = at([0, 1, 3, 4, 5, 6], withPixel(NaN), 9);
  const told: TrainingEvent[] = [];
  const error = await assertRejects(async () => {
    const batches = noiseBatches(config, { stepsPerEpoch: 9, change });
    for await (const event of trainer.run(batches)) told.push(event);
  });
  assertInstanceOf(error, DivergedError);
  assertStringIncludes(error.message, "3 steps in a row were skipped, the last at epoch 1 step 6");
  assertStringIncludes(error.message, "the loss is NaN; the batch holds e0.s5.0.z.jpg");
  assertStringIncludes(error.message, "training.baseLr");
  assertEquals(reportsOf(told).length, 6); // the last skipped one is told as well
});

testTiny("Trainer skips a step whose loss is above training.maxLoss", async () => {
  const config = tinyExperiment({ training: { epochs: 1, maxLoss: 0.1, maxSkippedSteps: 9 } });
  using model = tinyModel(config);
  const before = stateDict(model);
  const reports = reportsOf(await trainOnNoise(model, { config, stepsPerEpoch: 2 }));
  assertStringIncludes(reports[1].skipped!, "is above training.maxLoss 0.1");
  assert(!differs(before, stateDict(model), "head.cls.head.3.weight"));
});

testTiny(
  "Trainer reports the norms of all parameters where training.logGrads says so",
  async () => {
    const config = tinyExperiment({ training: { epochs: 1, logGrads: true } });
    using model = tinyModel(config);
    const [{ parameterNorms }] = reportsOf(await trainOnNoise(model, { config, stepsPerEpoch: 1 }));
    assertEquals(parameterNorms!.length, 42);
  },
);

function largest(tensors: StateDict): number {
  return Math.max(...[...tensors.values()].flatMap(({ data }) => Array.from(data, Number)));
}

/** Whether a tensor whose key begins so has changed. */
function differs(a: StateDict, b: StateDict, prefix: string): boolean {
  const keys = [...a.keys()].filter((key) => key.startsWith(prefix));
  assert(keys.length > 0, `no key begins with ${prefix}`);
  return keys.some((key) => a.get(key)!.data.join() !== b.get(key)!.data.join());
}
