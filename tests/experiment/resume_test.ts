import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import type { Experiment } from "../../src/config/mod.ts";
import { exportCheckpoint } from "../../src/experiment/export.ts";
import type { RunEvent } from "../../src/experiment/run.ts";
import { readCheckpoint, type StateDict } from "../../src/weights/mod.ts";
import { temporaryFolder } from "../data/demo.ts";
import { testTiny } from "../training/tiny.ts";
import { lossesOf, messagesOf, runAll, smallExperiment, summaryOf } from "./small_run.ts";

/**
 * Three epochs of four steps, the backbone joining after the first, norms frozen in the last; saved every
 * other step.
 */
function experiment(folder: string, training: Experiment["training"] = {}) {
  return smallExperiment(folder, {
    backbone: { trainEpoch: 1 },
    training: { checkpointEvery: 2, freezeNormsEpoch: 2, ...training },
  });
}

async function finalTensors(events: readonly RunEvent[]): Promise<StateDict> {
  return (await readCheckpoint(summaryOf(events).checkpoint!)).tensors;
}

/** Stops a run after so many steps. */
function after(steps: number): (event: RunEvent) => boolean {
  let taken = 0;
  return (event) => event.kind === "step" && ++taken === steps;
}

/** Steps that were taken before a run that was resumed; an epoch has 4. */
function resumedAt(events: readonly RunEvent[]): number {
  const [message] = messagesOf(events).filter((text) => text.startsWith("resume from"));
  const [, epoch, step] = /epoch (\d+) step (\d+)$/.exec(message)!;
  return 4 * (Number(epoch) - 1) + Number(step) - 1;
}

testTiny("runExperiment() resumes bit for bit, with any number of workers", async () => {
  await using folder = await temporaryFolder();
  const whole = await runAll(experiment(folder.path));
  const losses = lossesOf(whole), weights = await finalTensors(whole);
  assertEquals(losses.length, 12);
  for (const [i, stop] of [3, 5, 6, 11].entries()) {
    const snapshotDir = `${folder.path}/stop${stop}`;
    const part = (more: Experiment["training"]) =>
      experiment(folder.path, { snapshotDir, ...more });
    const before = await runAll(part({ numWorkers: (i + 1) % 3 }), after(stop));
    const resumed = await runAll(part({ resume: "auto", numWorkers: i % 3 }));
    const done = resumedAt(resumed);
    assert(done > 0 && done <= stop && done % 2 === 0, `stopped at ${stop}, resumed at ${done}`);
    assertEquals(lossesOf(before), losses.slice(0, stop));
    assertEquals(lossesOf(resumed), losses.slice(done));
    assertEquals(await finalTensors(resumed), weights);
    assertEquals(ratesOf(resumed), ratesOf(whole).slice(done));
  }
});

testTiny("runExperiment() resumes from the newest whole checkpoint", async () => {
  await using folder = await temporaryFolder();
  const config = experiment(folder.path, { epochs: 2, resume: "auto" });
  const { snapshotDir } = config.training;
  const whole = await runAll(config);
  assertEquals(messagesOf(whole).filter((text) => text.startsWith("nothing to resume")), [
    `nothing to resume in ${snapshotDir}, starting anew`,
  ]);
  await Deno.truncate(join(snapshotDir, "checkpoint_e2.safetensors"), 5000);
  const unfinished = join(snapshotDir, ".checkpoint_e2.safetensors.0123abcd.partial");
  await Deno.writeTextFile(unfinished, "");
  const resumed = await runAll(config);
  const messages = messagesOf(resumed).slice(1);
  const damaged = `${snapshotDir}/checkpoint_e2.safetensors`;
  assertStringIncludes(messages[0], `set aside ${damaged} as ${damaged}.damaged: `);
  assertEquals((await Deno.stat(`${damaged}.damaged`)).size, 5000);
  assertEquals(messages.slice(1, 3), [
    `removed ${unfinished}: its writing was interrupted`,
    `resume from ${snapshotDir}/checkpoint_e1.step2.safetensors at epoch 2 step 3`,
  ]);
  assertEquals(lossesOf(resumed), lossesOf(whole).slice(6));
  await assertRejects(() => Deno.stat(unfinished), Deno.errors.NotFound);
});

testTiny("runExperiment() resumes a snapshot of the published trainer", async () => {
  await using folder = await temporaryFolder();
  const whole = await runAll(experiment(folder.path, { checkpointEvery: 0 }));
  const losses = lossesOf(whole);
  const { snapshotDir } = experiment(folder.path).training;
  for (const epoch of [1, 2]) {
    const config = experiment(folder.path, {
      checkpointEvery: 0,
      snapshotDir: `${folder.path}/from${epoch}`,
      resume: `${folder.path}/e${epoch}.pth`,
    });
    const from = join(snapshotDir, `checkpoint_e${epoch}.safetensors`);
    await exportCheckpoint({ from, to: config.training.resume, config });
    const resumed = await runAll(config);
    const messages = messagesOf(resumed).join("\n");
    assertStringIncludes(messages, "unused checkpoint keys: 0\nmissing keys: 0");
    assertStringIncludes(messages, `resume from ${config.training.resume} at epoch ${epoch + 1}`);
    assertEquals(lossesOf(resumed), losses.slice(4 * epoch));
    assertEquals(await finalTensors(resumed), await finalTensors(whole));
  }
});

testTiny(
  "runExperiment() resumes a snapshot that lies within an epoch at its beginning",
  async () => {
    await using folder = await temporaryFolder();
    const first = experiment(folder.path);
    await runAll(first, after(7));
    const to = `${folder.path}/within.pth`;
    const from = join(first.training.snapshotDir, "checkpoint_e1.step2.safetensors");
    await exportCheckpoint({ from, to, config: first });
    const resumed = await runAll(experiment(folder.path, { resume: to }));
    assertEquals(lossesOf(resumed).length, 8);
    assert(lossesOf(resumed).every(Number.isFinite));
  },
);

testTiny("runExperiment() refuses to resume what does not fit", async () => {
  await using folder = await temporaryFolder();
  const config = experiment(folder.path, { epochs: 2 });
  await runAll(config);
  const resume = `${config.training.snapshotDir}/checkpoint_e2.safetensors`;
  const refusals: readonly (readonly [Experiment["training"], string])[] = [
    [{ resume, seed: 1 }, `Cannot resume "${resume}": its seed is 5, expected 1`],
    [{ resume: "auto", batchSize: 4 }, "its batchSize is 2, expected 4"],
    [{ resume: "none.safetensors" }, 'Cannot resume: there is no file "none.safetensors"'],
    [{ resume: "none.pth" }, 'Cannot resume: there is no file "none.pth"'],
  ];
  for (const [training, message] of refusals) {
    await assertRejects(() => runAll(experiment(folder.path, training)), Error, message);
  }
});

function ratesOf(events: readonly RunEvent[]): (readonly number[])[] {
  return events.flatMap((event) => event.kind === "step" ? [event.step.report.groupLrs] : []);
}
