import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import type { ExperimentConfig } from "../../src/config/mod.ts";
import { loadStateDict, stateDict } from "../../src/nn/mod.ts";
import { buildModel } from "../../src/models/mod.ts";
import { Rng } from "../../src/random.ts";
import {
  type Averages,
  checkpointName,
  makeSnapshotFolder,
  modelWeights,
  openCheckpoint,
  removeOutdated,
  resumePoint,
  saveCheckpoint,
} from "../../src/training/checkpoint.ts";
import { addToAverage, emptyAverage, meterStep } from "../../src/training/meters.ts";
import type { StepReport } from "../../src/training/report.ts";
import { type Position, Trainer } from "../../src/training/trainer.ts";
import { type Checkpoint, newestWholeCheckpoint, readCheckpoint } from "../../src/weights/mod.ts";
import type { StateDict } from "../../src/weights/mod.ts";
import { temporaryFolder } from "../data/demo.ts";
import { noiseBatches, testTiny, tinyExperiment, tinyModel } from "./tiny.ts";

const stepsPerEpoch = 4;
const config = tinyExperiment({ backbone: { trainEpoch: 1, layersLr: 0.5 } });

interface Run {
  readonly reports: readonly StepReport[];
  readonly weights: StateDict;
  readonly velocities: StateDict;
  readonly averages: Averages;
}

/** Trains from a checkpoint or from the start, and saves at every pause. */
async function train(folder: string, from?: string): Promise<Run> {
  // Other starting weights: what is resumed comes from the file.
  using model = from ? buildModel(config, new Rng(99)) : tinyModel(config);
  const resume = from
    ? resumePoint(await readCheckpoint(from), { config, stepsPerEpoch, path: from })
    : undefined;
  if (resume) loadStateDict(model, resume.weights);
  using trainer = new Trainer(model, { config, stepsPerEpoch, pauseEvery: 2, resume });
  const batches = noiseBatches(config, { stepsPerEpoch, start: trainer.position });
  const reports: StepReport[] = [];
  let averages = resume?.averages;
  for await (const event of trainer.run(batches)) {
    if (event.kind === "step") {
      reports.push(event.report);
      const previous = averages && { averages };
      averages = meterStep(withoutTimes(event.report), { previous, epochs: 3 }).averages;
    }
    if (event.kind === "pause") {
      await saveCheckpoint(trainer, { folder, config, stepsPerEpoch, averages });
    }
  }
  return {
    reports: reports.map(withoutTimes),
    weights: stateDict(model),
    velocities: trainer.optimizer.velocities(),
    averages: averages!,
  };
}

/** Times are never the same twice. */
function withoutTimes(report: StepReport): StepReport {
  return { ...report, batchTime: 1, dataTime: 0.5, pairsPerSecond: 2 };
}

testTiny("saveCheckpoint() and resumePoint() resume bit for bit at every pause", async () => {
  await using whole = await temporaryFolder();
  await using part = await temporaryFolder();
  const uninterrupted = await train(whole.path);
  assertEquals(uninterrupted.reports.length, 12);
  const positions: Position[] = [
    { epoch: 0, step: 2 }, // before the backbone joins
    { epoch: 1, step: 0 }, // exactly then
    { epoch: 1, step: 2 },
    { epoch: 2, step: 0 },
    { epoch: 3, step: 0 }, // nothing is left to do
  ];
  for (const position of positions) {
    const name = checkpointName(position);
    const resumed = await train(part.path, join(whole.path, name));
    const done = position.epoch * stepsPerEpoch + position.step;
    assertEquals(resumed.reports, uninterrupted.reports.slice(done), name);
    assertEquals(resumed.averages, uninterrupted.averages, name);
    assertEquals(resumed.weights, uninterrupted.weights, name);
    assertEquals(resumed.velocities, uninterrupted.velocities, name);
  }
});

testTiny("resumePoint() refuses a training with other data", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, await saveStart(folder.path));
  const checkpoint = await readCheckpoint(path);
  const changed = (training: Partial<ExperimentConfig["training"]>) => ({
    ...config,
    training: { ...config.training, ...training },
  });
  const refusals: readonly (readonly [ExperimentConfig, number, string])[] = [
    [changed({ seed: 6 }), stepsPerEpoch, "its seed is 5, expected 6 as in the experiment"],
    [changed({ batchSize: 3 }), stepsPerEpoch, "its batchSize is 2, expected 3"],
    [config, 5, "its stepsPerEpoch is 4, expected 5"],
  ];
  for (const [other, steps, message] of refusals) {
    const options = { config: other, stepsPerEpoch: steps, path };
    assertThrows(() => resumePoint(checkpoint, options), RangeError, message);
  }
});

testTiny("openCheckpoint() refuses a state of another form", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, await saveStart(folder.path));
  const { tensors, state } = await readCheckpoint(path);
  for (const other of [null, { ...state as object, format: 2 }, { format: 1 }]) {
    const checkpoint = { tensors, state: other } as Checkpoint;
    const message = "its state is of another form";
    assertThrows(() => openCheckpoint(checkpoint, "a"), RangeError, message);
  }
});

testTiny("saveCheckpoint() keeps averages without a number", async () => {
  await using folder = await temporaryFolder();
  const filled = [1.25, NaN, 0.1].reduce((all, value) => addToAverage(all, value), emptyAverage());
  const averages: Averages = {
    batch_time: addToAverage(filled, 2),
    data_time: addToAverage(filled, Infinity, { counts: false }),
    cls_loss: addToAverage(emptyAverage(), NaN),
    loc_loss: emptyAverage(),
    total_loss: filled,
  };
  const path = join(folder.path, await saveStart(folder.path, averages));
  const read = openCheckpoint(await readCheckpoint(path), path).averages!;
  assertEquals(read, { ...averages, data_time: { ...averages.data_time, last: NaN } });
});

Deno.test("makeSnapshotFolder() says what to do where nothing can be written", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "a/b");
  await makeSnapshotFolder(path);
  await makeSnapshotFolder(path);
  assertEquals(await Array.fromAsync(Deno.readDir(path)), []);
  const file = join(folder.path, "file");
  await Deno.writeTextFile(file, "");
  const message = `Cannot write "${join(file, "snapshot")}": a file stands where a folder should`;
  await assertRejects(() => makeSnapshotFolder(join(file, "snapshot")), Error, message);
});

testTiny("modelWeights() leaves the momentum out, and other files as they are", async () => {
  await using folder = await temporaryFolder();
  const { tensors } = await readCheckpoint(join(folder.path, await saveStart(folder.path)));
  using model = tinyModel(config);
  assertEquals(modelWeights(tensors), stateDict(model));
  assertEquals(modelWeights(stateDict(model)), stateDict(model));
});

Deno.test("checkpointName() sorts by position", async () => {
  await using folder = await temporaryFolder();
  const positions = [[0, 5], [0, 10], [1, 0], [1, 100], [2, 0], [9, 0], [9, 9], [10, 0]];
  const names = positions.map(([epoch, step]) => checkpointName({ epoch, step }));
  assertEquals(names.slice(0, 3), [
    "checkpoint_e0.step5.safetensors",
    "checkpoint_e0.step10.safetensors",
    "checkpoint_e1.safetensors",
  ]);
  // All are damaged, so that the search passes by each, the newest first.
  for (const name of names) await Deno.writeTextFile(join(folder.path, name), "");
  const { damaged } = await newestWholeCheckpoint(folder.path);
  assertEquals(
    damaged.map(({ path }) => path),
    names.toReversed().map((n) => join(folder.path, n)),
  );
});

Deno.test("removeOutdated() keeps the newest two checkpoints within an epoch and all others", async () => {
  await using folder = await temporaryFolder();
  const kept = [
    "checkpoint_e1.safetensors",
    "checkpoint_e2.safetensors",
    "checkpoint_e2.step9.safetensors",
    "checkpoint_e2.step10.safetensors",
    "checkpoint_e2.step20.safetensors",
    "checkpoint_e1.step5.pth",
    "best.checkpoint_e1.step5.safetensors",
  ];
  const outdated = ["checkpoint_e0.step90.safetensors", "checkpoint_e1.step100.safetensors"];
  for (const name of [...kept, ...outdated]) await Deno.writeTextFile(join(folder.path, name), "");
  assertEquals((await removeOutdated(folder.path, { epoch: 2, step: 10 })).toSorted(), outdated);
  const left = (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name);
  assertEquals(left.toSorted(), kept.toSorted());
});

/** Saves a training that has not begun; gives the name of the file. */
async function saveStart(folder: string, averages?: Averages): Promise<string> {
  using model = tinyModel(config);
  using trainer = new Trainer(model, { config, stepsPerEpoch });
  const path = await saveCheckpoint(trainer, { folder, config, stepsPerEpoch, averages });
  assert(path.startsWith(folder));
  return checkpointName(trainer.position);
}

Deno.test("removeOutdated() keeps as many ends of epochs as asked, and two within an epoch", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const names = ["e1", "e2", "e2.step4", "e2.step8", "e2.step12", "e3"];
    for (const name of names) {
      await Deno.writeTextFile(`${folder}/checkpoint_${name}.safetensors`, "");
    }
    const removed = async (...[newest, keep]: [{ epoch: number; step: number }, number]) =>
      (await removeOutdated(folder, newest, keep)).sort();
    assertEquals(await removed({ epoch: 2, step: 8 }, 0), []);
    assertEquals(await removed({ epoch: 2, step: 12 }, 0), ["checkpoint_e2.step4.safetensors"]);
    assertEquals(await removed({ epoch: 3, step: 0 }, 0), []);
    assertEquals(await removed({ epoch: 3, step: 0 }, 2), ["checkpoint_e1.safetensors"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
