import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { basename, join } from "@std/path";
import { Image as AnyImage } from "imagescript";
import { DivergedError } from "../../src/training/trainer.ts";
import { temporaryFolder } from "../data/demo.ts";
import { readEvents } from "../training/event_reader.ts";
import { testTiny } from "../training/tiny.ts";
import { messagesOf, runAll, smallExperiment, summaryOf } from "./small_run.ts";

/** What is left of the lines of a log when their dates and times are the same. */
function withoutClock(log: string): string {
  return log.replaceAll(/^\[\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}-/gm, "[");
}

testTiny("runExperiment() goes from drawn videos to a tracked sequence", async () => {
  await using folder = await temporaryFolder();
  const config = smallExperiment(folder.path, {
    training: { logDir: `${folder.path}/logs`, epochs: 2, checkpointEvery: 1 },
    validation: { source: { format: "synthetic", split: "test", frames: 4 }, sequences: 2 },
  });
  const events = await runAll(config);
  const prepared = events.filter((event) => event.kind === "prepare").at(-1)!;
  assertEquals([prepared.set, prepared.report.kind], ["DEMO", "done"]);
  assertEquals(events.filter(({ kind }) => kind === "step").length, 8);
  const looks = events.flatMap((event) => event.kind === "heldOut" ? [event.when] : []);
  assertEquals(looks, ["before", "after"]);
  const saved = events.flatMap((event) => event.kind === "checkpoint" ? [event.path] : []);
  assertEquals(saved.map((path) => basename(path)), [
    "checkpoint_e0.step1.safetensors",
    "checkpoint_e0.step2.safetensors",
    "checkpoint_e0.step3.safetensors",
    "checkpoint_e1.safetensors",
    "checkpoint_e1.step1.safetensors",
    "checkpoint_e1.step2.safetensors",
    "checkpoint_e1.step3.safetensors",
    "checkpoint_e2.safetensors",
  ]);
  const left = await Array.fromAsync(Deno.readDir(config.training.snapshotDir));
  assertEquals(left.map(({ name }) => name).toSorted(), [
    "checkpoint_e1.safetensors",
    "checkpoint_e1.step2.safetensors",
    "checkpoint_e1.step3.safetensors",
    "checkpoint_e2.safetensors",
  ]);
  const summary = summaryOf(events);
  assertEquals([summary.experiment, summary.steps], ["tiny", 8]);
  assertEquals(summary.checkpoint, saved.at(-1));
  const { losses, ao, pairsPerSecond, dataWaitShare, firstLoss } = summary;
  for (const value of [...Object.values(losses), firstLoss, pairsPerSecond]) assert(value > 0);
  for (const share of [ao!.before, ao!.after, dataWaitShare]) assert(share >= 0 && share <= 1);

  await checkLog(summary.log!);
  await checkEvents(config.training.logDir);
  const { gif, png } = summary.pictures!;
  const strip = await AnyImage.decode(await Deno.readFile(png));
  assertEquals([strip.width, strip.height], [1286, 240]); // 4 frames of 320 x 240 and the gaps
  assertEquals(new TextDecoder().decode((await Deno.readFile(gif)).subarray(0, 6)), "GIF89a");
});

/** The lines of the published trainer, in its order. */
async function checkLog(path: string): Promise<void> {
  const log = withoutClock(await Deno.readTextFile(path));
  const [config] = log.split("\n", 1);
  assertEquals(config, "[rk0-train.ts#  1] config ");
  const steps = log.slice(log.indexOf("Epoch: [1][2/4]"));
  const number = String.raw`\d+\.\d{6}`;
  const pair = (name: string) => String.raw`\t${name}: ${number} \(${number}\)`;
  const pattern = [
    String.raw`^Epoch: \[1\]\[2/4\] lr: 0\.010000`,
    `${pair("batch_time")}${pair("data_time")}`,
    `${pair("cls_loss")}${pair("loc_loss")}`,
    String.raw`${pair("total_loss")}\t`,
    String
      .raw`\[rk0-train\.ts#  ?\d+\] Progress: 2 / 8 \[25%\], Speed: \d+\.\d{3} s/iter, ETA 0:00:\d\d \(D:H:M\)`,
    "",
  ].join("\n");
  assertMatch(steps, new RegExp(pattern));
  assertStringIncludes(log, "] epoch: 2\n");
  assertStringIncludes(log, "] epoch 2 lr 0.001\n");
  assertStringIncludes(log, "Epoch: [2][0/4] lr: 0.001000");
  assertStringIncludes(log, "start training backbone.");
  assertStringIncludes(log, "average overlap on 2 held-out sequences after training: ");
}

async function checkEvents(folder: string): Promise<void> {
  const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
  const events = readEvents(join(folder, names.find((name) => name.includes("tfevents"))!));
  const losses = events.filter(({ values }) => values.some(({ tag }) => tag === "total_loss"));
  assertEquals(losses.map(({ step }) => step), [0, 1, 2, 3, 4, 5, 6, 7]);
}

testTiny("runExperiment() leaves no file where logs are not wanted", async () => {
  await using folder = await temporaryFolder();
  const events = await runAll(smallExperiment(folder.path, { training: { epochs: 1 } }));
  const { log, pictures, ao } = summaryOf(events);
  assertEquals([log, pictures, ao], [undefined, undefined, undefined]);
  const names = (await Array.fromAsync(Deno.readDir(folder.path))).map(({ name }) => name);
  assertEquals(names.toSorted(), ["demo", "snapshot"]);
});

testTiny("runExperiment() logs why it stops", async () => {
  await using folder = await temporaryFolder();
  const config = smallExperiment(folder.path, {
    training: { logDir: `${folder.path}/logs`, maxLoss: 0.01, maxSkippedSteps: 2 },
  });
  await assertRejects(() => runAll(config), DivergedError);
  const log = withoutClock(await Deno.readTextFile(`${folder.path}/logs/logs.txt`));
  assertStringIncludes(log, "] Skipped: epoch 1 step 2, cls_loss: ");
  assertMatch(log, /\] stopped: Cannot go on: 2 steps in a row were skipped.*\n$/);
});

testTiny("runExperiment() tells when there is nothing left to train", async () => {
  await using folder = await temporaryFolder();
  const training = { epochs: 1, resume: "auto" };
  await runAll(smallExperiment(folder.path, { training }));
  const events = await runAll(smallExperiment(folder.path, { training }));
  assertStringIncludes(messagesOf(events).join("\n"), "nothing is left to train");
  assertEquals(summaryOf(events).steps, 0);
});
