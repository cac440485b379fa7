import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { replayIncident } from "../../src/experiment/incident.ts";
import { temporaryFolder } from "../data/demo.ts";
import { useTiny } from "../training/tiny.ts";
import { messagesOf, runAll, smallExperiment } from "./small_run.ts";

Deno.test("a step that is skipped is kept, and taken again with the same losses", async () => {
  await using _ = await useTiny();
  await using folder = await temporaryFolder();
  // No loss is as small as this, so that each step is skipped.
  const config = smallExperiment(folder.path, {
    training: { epochs: 1, maxLoss: 1e-6, maxSkippedSteps: 3, logDir: `${folder.path}/logs` },
  });
  const events: Awaited<ReturnType<typeof runAll>> = [];
  await assertRejects(
    () => runAll(config, (event) => (events.push(event), false)),
    Error,
    "3 steps in a row were skipped",
  );
  const [message] = messagesOf(events).filter((text) => text.startsWith("skipped epoch 1 step 2"));
  assertStringIncludes(message, "is above training.maxLoss");

  const incidents = join(folder.path, "logs/incidents");
  const picture = await Deno.readFile(join(incidents, "e1_s2.png"));
  assertEquals([...picture.subarray(1, 4)], [..."PNG"].map((letter) => letter.charCodeAt(0)));
  const replay = await replayIncident(join(incidents, "e1_s2.safetensors"));
  assertEquals(replay.applied, false);
  assertEquals(replay.place.step, 1);
  for (const [term, loss] of Object.entries(replay.losses)) {
    assertEquals(String(loss), replay.recorded[term], term);
  }
  assertEquals(replay.first, undefined);
  assert(replay.kernels.length > 50, `${replay.kernels.length} kernels`);
  assertEquals(replay.pairs.length, config.training.batchSize);
});

Deno.test("a replay names the first kernel whose output is not finite", async () => {
  await using _ = await useTiny();
  await using folder = await temporaryFolder();
  const config = smallExperiment(folder.path, {
    // So large a rate throws the weights out of all bounds with the first step.
    training: {
      epochs: 1,
      maxSkippedSteps: 2,
      logDir: `${folder.path}/logs`,
      baseLr: 1e38,
      lr: { type: "log", kwargs: { startLr: 1e38, endLr: 1e37 } },
    },
  });
  await assertRejects(() => runAll(config), Error, "in a row were skipped");
  const [first] = (await Array.fromAsync(Deno.readDir(join(folder.path, "logs/incidents"))))
    .map(({ name }) => name).filter((name) => name.endsWith(".safetensors")).sort();
  const { kernels, first: index } = await replayIncident(
    join(folder.path, "logs/incidents", first),
  );
  assert(index !== undefined, "All is finite");
  assert(kernels[index!].notFinite > 0);
  assert(kernels.slice(0, index).every(({ notFinite }) => notFinite === 0));
});

Deno.test("replayIncident refuses a file that is no incident", async () => {
  await using _ = await useTiny();
  await using folder = await temporaryFolder();
  const config = smallExperiment(folder.path, { training: { epochs: 1, keepCheckpoints: 1 } });
  await runAll(config);
  await assertRejects(
    () => replayIncident(`${folder.path}/snapshot/checkpoint_e1.safetensors`),
    RangeError,
    "it is no incident of a training",
  );
});
