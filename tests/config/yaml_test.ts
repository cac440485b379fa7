import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseDraft, parseExperiment } from "../../src/config/parse.ts";
import { ExperimentError } from "../../src/config/problems.ts";
import { parseReferenceYaml, parseYaml } from "../../src/config/yaml.ts";
import r50 from "../../configs/siamban_r50_l234.ts";
import { parse } from "yaml";

const fixture = (name: string) =>
  Deno.readTextFileSync(new URL(`../fixtures/config/${name}`, import.meta.url));

function messageOf(text: string): string {
  return assertThrows(() => parseDraft(parseYaml(text, "a.yaml")), ExperimentError).message;
}

Deno.test("parseReferenceYaml() reads the published model as configs/siamban_r50_l234.ts", () => {
  const draft = parseReferenceYaml(fixture("siamban_r50_l234.yaml"), "config.yaml");
  assertEquals(parseDraft(draft), parseExperiment(r50));
  assertEquals(draft.ignored, []);
});

Deno.test("parseReferenceYaml() reads a point-based model in a pysot file, saying what it ignores", () => {
  const draft = parseReferenceYaml(fixture("pysot_style_ban.yaml"), "config.yaml");
  const config = parseDraft(draft);
  assertEquals(config.cuda, true);
  assertEquals(config.training.locWeight, 1.2);
  assertEquals(config.training.pretrained, "");
  assertEquals(config.dataset.sets.VID.numUse, -1);
  assertEquals(config.dataset.sets.MINE.frameRange, 5);
  assertEquals(draft.ignored.map((line) => line.split(":")[0]), [
    "MASK",
    "ANCHOR",
    "TRACK.LOST_INSTANCE_SIZE",
    "TRAIN.THR_HIGH",
  ]);
});

Deno.test("parseReferenceYaml() says what of an anchor model cannot be used", () => {
  const message = messageOf(fixture("pysot_style_rpn.yaml"));
  assertStringIncludes(message, 'line 3: "RPN" describes an anchor head (MultiRPN) of SiamRPN');
  assertStringIncludes(message, "RPN and ANCHOR cannot be used here, expected a BAN section");
  assertStringIncludes(message, 'line 7: "MASK.MASK" is true, asks for SiamMask');
  assertStringIncludes(message, 'line 11: "TRACK.TYPE" is "SiamRPNTracker"');
});

Deno.test("parseReferenceYaml() reads a NanoTrack file, its head by its backbone", () => {
  const read = (text: string) => {
    const draft = parseReferenceYaml(text, "config.yaml");
    return { config: parseDraft(draft), ignored: draft.ignored.map((line) => line.split(":")[0]) };
  };
  const text = fixture("nanotrack_style.yaml");
  const first = read(text);
  assertEquals(first.config.head.type, "NanoTrackV1");
  assertEquals(first.config.training.scoreSize, 16);
  assertEquals(first.ignored, ["TRACK.TYPE", "TRACK.OUTPUT_SIZE", "TRAIN.NUM_CONVS", "BAN.TYPE"]);

  const third = read(
    text.replaceAll("mobilenetv3_small", "mobilenetv3_small_v3").replaceAll("SIZE: 16", "SIZE: 15"),
  );
  assertEquals(third.config.head.type, "NanoTrackV3");
  // The file says 7, which would make a map of 16.
  assertEquals([third.config.training.scoreSize, third.config.tracking.baseSize], [15, 6]);

  const second = read(text.replace("TYPE: DepthwiseBAN", "TYPE: NanoTrackV2"));
  assertEquals(second.config.head.type, "NanoTrackV2");
});

Deno.test("parseReferenceYaml() says which backbone a NanoTrack head stands on", () => {
  const text = fixture("nanotrack_style.yaml").replace("DepthwiseBAN", "NanoTrackV3");
  const error: ExperimentError = assertThrows(
    () => parseDraft(parseReferenceYaml(text, "config.yaml")),
    ExperimentError,
  );
  const [{ key, expected }] = error.problems;
  assertEquals([key, expected], [
    "BACKBONE.TYPE",
    "mobilenetv3_small_v3, which NanoTrackV3 stands on",
  ]);
});

Deno.test("parseYaml() names line, key, value and nearest key of every problem", () => {
  const message = messageOf(
    "META_ARC: x\nTRAIN:\n    BATCH_SZIE: 8\n    EPOCH: ten\nBACKBONE:\n    TYPE: resnet50\n" +
      "    KWARGS:\n        usedlayers: [2]\nDATASET:\n    NAMES: [VID, 3]\n    NGE: 0.2\n",
  );
  for (
    const line of [
      'line 3: "TRAIN.BATCH_SZIE" is 8, an unknown key, expected a key of "TRAIN", did you mean "TRAIN.BATCH_SIZE"',
      'line 4: "TRAIN.EPOCH" is "ten", expected a whole number of at least 1',
      'line 8: "BACKBONE.KWARGS.usedlayers" is [2], an unknown key',
      'line 10: "DATASET.NAMES.1" is 3, expected text',
      'line 11: "DATASET.NGE" is 0.2, an unknown key',
    ]
  ) assertStringIncludes(message, line);
});

Deno.test("parseYaml() names a contradiction in the reference's words", () => {
  const message = messageOf("TRAIN:\n    EPOCH: 20\n    OUTPUT_SIZE: 24\n");
  assertStringIncludes(message, 'line 3: "TRAIN.OUTPUT_SIZE" is 24, expected 25 =');
  assertStringIncludes(messageOf("POINT: { STRIDE: 16 }"), '"TRAIN.OUTPUT_SIZE" is 25 by default');
});

Deno.test("parseYaml() reports a section that is none, and an argument of another type", () => {
  assertStringIncludes(messageOf("TRAIN: 5"), 'line 1: "TRAIN" is 5, expected a section');
  assertStringIncludes(
    messageOf("BACKBONE: { TYPE: resnet50, KWARGS: { width_mult: 1 } }"),
    'line 1: "BACKBONE.KWARGS.width_mult" is 1, an unknown key, expected a key of "BACKBONE.KWARGS" (used_layers)',
  );
});

Deno.test("parseYaml() reads our keys, with lines", () => {
  const draft = parseYaml("training:\n  batchSize: 8\n", "a.yaml");
  assertEquals(parseDraft(draft).training.batchSize, 8);
  assertStringIncludes(
    messageOf("training:\n  batchSize: 0\n"),
    'line 2: "training.batchSize" is 0',
  );
});

Deno.test("parseYaml() reads scalars, merges and the words for true and false as PyYAML does", () => {
  const draft = parseYaml(
    "META_ARC: y\nCUDA: off\nTRAIN: { LOG_GRADS: Yes, LOC_WEIGHT: 1., WEIGHT_DECAY: 1e-4 }\n" +
      "DATASET:\n  TEMPLATE: &same { SHIFT: 8 }\n  SEARCH: { <<: *same, SCALE: .5 }\n",
    "a.yaml",
  );
  const { name, cuda, training, dataset } = parseDraft(draft);
  assertEquals([name, cuda, training.logGrads], ["y", false, true]);
  assertEquals([training.locWeight, training.weightDecay], [1, 1e-4]);
  assertEquals([dataset.search.shift, dataset.search.scale], [8, 0.5]);
});

Deno.test("parseYaml() reads an empty file as all defaults", () => {
  assertEquals(parseDraft(parseYaml("", "a.yaml")), parseExperiment({}));
});

Deno.test("parseYaml() reports text that is no YAML, repeated keys and lists at the top", () => {
  assertStringIncludes(messageOf("a: [1\nb: 2"), "expected well-formed YAML");
  assertStringIncludes(messageOf("CUDA: true\nCUDA: false"), "line 2");
  assertStringIncludes(messageOf("- 1"), "expected sections of settings");
});

Deno.test("parseYaml() keeps hostile keys harmless", () => {
  assertStringIncludes(messageOf("__proto__: { cuda: false }"), '"__proto__"');
  assertStringIncludes(messageOf("TRAIN: { __proto__: 1, constructor: 2 }"), "TRAIN.constructor");
  assertEquals(Object.hasOwn(Object.prototype, "cuda"), false);
});

const golden = new URL("../../../shared/golden/models/", import.meta.url);
const goldenExists = (() => {
  try {
    return Deno.statSync(golden).isDirectory;
  } catch {
    return false;
  }
})();

Deno.test({
  name: "parseReferenceYaml() reads the settings of every golden network",
  ignore: !goldenExists,
  fn() {
    let count = 0;
    for (const { name } of Deno.readDirSync(golden)) {
      if (!name.endsWith(".json") || name.endsWith(".layers.json")) continue;
      const { config } = parse(Deno.readTextFileSync(new URL(name, golden)));
      const parsed = parseDraft(parseReferenceYaml(JSON.stringify(config), name));
      assertEquals(parsed.training.scoreSize, config.TRAIN.OUTPUT_SIZE);
      assertEquals(parsed.backbone.type, config.BACKBONE.TYPE);
      count++;
    }
    assert(count > 0);
  },
});
