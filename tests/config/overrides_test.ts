import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { draftOf } from "../../src/config/draft.ts";
import { applyOverrides } from "../../src/config/overrides.ts";
import { parseDraft } from "../../src/config/parse.ts";
import { ExperimentError } from "../../src/config/problems.ts";
import type { Experiment } from "../../src/config/schema.ts";
import { parseReferenceYaml } from "../../src/config/yaml.ts";

function configWith(overrides: string[], experiment: Experiment = {}) {
  return parseDraft(applyOverrides(draftOf(experiment, "mine.ts"), overrides));
}

function messageWith(...overrides: string[]): string {
  return assertThrows(() => configWith(overrides), ExperimentError).message;
}

Deno.test("applyOverrides() sets scalars, lists and sections in our keys", () => {
  const config = configWith([
    "training.batchSize=8",
    "dataset.names=[VID, COCO]",
    "name=a name = with equals",
    "training.lr={ type: cos, kwargs: { endLr: 1e-5 } }",
    "dataset.sets.MINE={ root: a, anno: b }",
    "dataset.sets.MINE.numUse=3",
    "training.resume=",
  ], { training: { batchSize: 4, epochs: 30, resume: "old" } });
  assertEquals(config.training.batchSize, 8);
  assertEquals(config.training.epochs, 30);
  assertEquals(config.training.resume, "");
  assertEquals(config.dataset.names, ["VID", "COCO"]);
  assertEquals(config.name, "a name = with equals");
  assertEquals(config.training.lr, { type: "cos", kwargs: { startLr: 0.01, endLr: 1e-5 } });
  assertEquals(config.dataset.sets.MINE.numUse, 3);
});

Deno.test("applyOverrides() takes the reference's keys and the last of several values", () => {
  const config = configWith([
    "TRAIN.BATCH_SIZE=8",
    "training.batchSize=16",
    "BAN.KWARGS.weighted=true",
    "TRAIN.LR={ TYPE: cos }",
    "DATASET.MINE.ROOT=x",
    "DATASET.MINE.ANNO=y",
    "CUDA=false",
  ]);
  assertEquals(config.training.batchSize, 16);
  assertEquals(config.head.type === "MultiBAN" && config.head.kwargs.weighted, true);
  assertEquals(config.training.lr.type, "cos");
  assertEquals(config.dataset.sets.MINE.root, "x");
  assertEquals(config.cuda, false);
});

Deno.test("applyOverrides() replaces values of a YAML file, and errors say where they came from", () => {
  const draft = parseReferenceYaml("TRAIN:\n    EPOCH: 30\n    BATCH_SIZE: 0", "a.yaml");
  const replaced = applyOverrides(draft, ["training.batchSize=4"]);
  assertEquals(parseDraft(replaced).training.epochs, 30);
  const wrong = applyOverrides(draft, ["training.epochs=none"]);
  const { message } = assertThrows(() => parseDraft(wrong), ExperimentError);
  assertStringIncludes(message, '--set: "training.epochs" is "none", expected a whole number');
  assertStringIncludes(message, 'line 3: "TRAIN.BATCH_SIZE" is 0, expected a whole number');
});

Deno.test("applyOverrides() lists an override without effect", () => {
  const draft = applyOverrides(draftOf({}, "mine.ts"), ["ANCHOR.STRIDE=8", "TRAIN.THR_LOW=0.3"]);
  assertEquals(draft.problems, []);
  assertEquals(draft.ignored.map((line) => line.split(":")[0]), ["ANCHOR.STRIDE", "TRAIN.THR_LOW"]);
});

Deno.test("applyOverrides() names key, value and nearest key of what is wrong", () => {
  const message = messageWith(
    "training.batchSzie=3",
    "TRAIN.BATCH_SZIE=3",
    "TRAIN=5",
    "training.epochs",
    "=5",
    "dataset.names=[VID",
    "__proto__.x=1",
  );
  for (
    const text of [
      '--set: "training.batchSzie" is 3, an unknown key, expected a key of "training", did you mean "training.batchSize"',
      '--set: "TRAIN.BATCH_SZIE" is 3, an unknown key, expected a key of "TRAIN", did you mean "TRAIN.BATCH_SIZE"',
      '--set: "TRAIN" is 5, expected a section of settings',
      '--set: "training.epochs" has no value, expected key=value',
      '--set: "=5" has no value',
      '--set: "dataset.names" is "[VID", expected a YAML value',
      '"__proto__.x" is 1, an unknown key',
    ]
  ) assertStringIncludes(message, text);
});
