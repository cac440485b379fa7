import { assertEquals } from "@std/assert";
import { isSection, valueAt } from "../../src/config/draft.ts";
import { KNOWN_KEYS } from "../../src/config/known_keys.ts";
import { parseExperiment } from "../../src/config/parse.ts";
import { fromReferenceKey, toReferenceKey } from "../../src/config/reference_keys.ts";
import defaults from "../fixtures/config/reference_defaults.json" with { type: "json" };

function* leavesOf(section: object, prefix = ""): Generator<[string, unknown]> {
  for (const [key, value] of Object.entries(section)) {
    if (isSection(value)) yield* leavesOf(value, `${prefix}${key}.`);
    else yield [prefix + key, value];
  }
}

/** Defaults that build nothing that works in the reference. */
const DIFFERENT = new Map<string, unknown>([
  ["BACKBONE.TYPE", "resnet50"], // its "res50" is not among its own backbones
  ["BAN.BAN", true], // without a head nothing can be trained
]);

Deno.test("fromReferenceKey() knows every key of the reference's config.py", () => {
  const unknown = [...leavesOf(defaults)].map(([key]) => key)
    .filter((key) => fromReferenceKey(key) === undefined);
  assertEquals(unknown, []);
});

Deno.test("parseExperiment() has the reference's defaults", () => {
  const config = parseExperiment({});
  for (const [key, value] of leavesOf(defaults)) {
    const path = fromReferenceKey(key)!.split(".");
    assertEquals(valueAt(config, path), DIFFERENT.get(key) ?? value, key);
  }
});

Deno.test("toReferenceKey() is undone by fromReferenceKey() for every key", () => {
  for (const key of KNOWN_KEYS) {
    if (key === "dataset.sets") continue; // DATASET itself holds the sets
    assertEquals(fromReferenceKey(toReferenceKey(key)), key);
  }
});

Deno.test("toReferenceKey() keeps the names that are no plain upper case", () => {
  assertEquals(toReferenceKey("name"), "META_ARC");
  assertEquals(toReferenceKey("training.batchSize"), "TRAIN.BATCH_SIZE");
  assertEquals(toReferenceKey("training.scoreSize"), "TRAIN.OUTPUT_SIZE");
  assertEquals(
    toReferenceKey("training.lrWarmup.kwargs.startLr"),
    "TRAIN.LR_WARMUP.KWARGS.start_lr",
  );
  assertEquals(toReferenceKey("neck.kwargs.inChannels"), "ADJUST.KWARGS.in_channels");
  assertEquals(toReferenceKey("tracking.searchSize"), "TRACK.INSTANCE_SIZE");
  assertEquals(toReferenceKey("dataset.sets.MINE.frameRange"), "DATASET.MINE.FRAME_RANGE");
  assertEquals(toReferenceKey("dataset.names.1"), "DATASET.NAMES.1");
});

Deno.test("fromReferenceKey() takes further data sets and refuses unknown keys", () => {
  assertEquals(fromReferenceKey("DATASET.MINE.NUM_USE"), "dataset.sets.MINE.numUse");
  assertEquals(fromReferenceKey("DATASET.MINE.NUM"), undefined);
  assertEquals(fromReferenceKey("TRAIN.BATCH"), undefined);
});
