import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { parseExperiment } from "../../src/config/parse.ts";
import { ExperimentError } from "../../src/config/problems.ts";
import type { Experiment } from "../../src/config/schema.ts";

/** What is said of an experiment that a compiler would refuse too. */
function errorOf(experiment: unknown): ExperimentError {
  return assertThrows(
    () => parseExperiment(experiment as Experiment, { source: "mine.ts" }),
    ExperimentError,
  );
}

function assertProblem(experiment: unknown, text: string): void {
  assertStringIncludes(errorOf(experiment).message, text);
}

Deno.test("parseExperiment() completes channels, layers and sizes from the backbone", () => {
  const config = parseExperiment({
    backbone: { type: "resnet18", kwargs: { usedLayers: [2, 3] } },
  });
  assertEquals(config.backbone.trainLayers, ["layer2", "layer3"]);
  assertEquals(config.neck.kwargs.inChannels, [128, 256]);
  assertEquals(config.neck.kwargs.outChannels, [256, 256]);
  assertEquals(config.head.kwargs, {
    inChannels: [256, 256],
    clsOutChannels: 2,
    weighted: false,
  });
  assertEquals([config.training.scoreSize, config.tracking.baseSize], [25, 8]);
});

Deno.test("parseExperiment() gives an AlexNet without neck the score size 17", () => {
  const config = parseExperiment({
    backbone: { type: "alexnetlegacy", kwargs: { widthMult: 0.5 } },
    neck: { enabled: false },
    head: { type: "UPChannelBAN" },
    tracking: { baseSize: 0 },
  });
  assertEquals(config.backbone.trainLayers, ["features"]);
  assertEquals(config.head.kwargs, { featureIn: 128, clsOutChannels: 2 });
  assertEquals([config.training.baseSize, config.training.scoreSize], [0, 17]);
});

Deno.test("parseExperiment() names source, key, value, section and nearest key of unknown keys", () => {
  assertEquals(
    errorOf({ training: { batchSzie: 8 } }).message,
    'Cannot use mine.ts: "training.batchSzie" is 8, an unknown key, expected a key of "training", ' +
      'did you mean "training.batchSize"',
  );
  assertProblem({ batchSize: 8 }, 'did you mean "training.batchSize"');
  assertProblem({ trainig: {} }, 'did you mean "training"');
  assertProblem({ dataset: { sets: { A: { rot: "x" } } } }, 'did you mean "dataset.sets.A.root"');
});

Deno.test("parseExperiment() suggests no key of another type", () => {
  assertProblem(
    { backbone: { type: "resnet50", kwargs: { widthMult: 2 } } },
    'a key of "backbone.kwargs" (usedLayers), did you mean "backbone.kwargs.usedLayers"',
  );
});

Deno.test("parseExperiment() says what a wrong type or value should be", () => {
  const cases: [unknown, string][] = [
    [{ training: { epochs: "ten" } }, '"training.epochs" is "ten", expected a whole number'],
    [{ training: { epochs: 1.5 } }, '"training.epochs" is 1.5, expected a whole number'],
    [{ training: { baseLr: NaN } }, '"training.baseLr" is NaN, expected a number above 0'],
    [{ training: { momentum: 1 } }, "expected a number of at least 0 and below 1"],
    [{ training: 5 }, '"training" is 5, expected a section of settings'],
    [
      { training: { lr: { type: "cosine" } } },
      'log, step, multi-step, linear, cos, did you mean "cos"',
    ],
    [{ backbone: { type: "resnet51" } }, 'did you mean "resnet50"'],
    [{ dataset: { names: "VID" } }, '"dataset.names" is "VID", expected a list of set names'],
    [{ dataset: { names: ["VID", 3] } }, '"dataset.names.1" is 3, expected text'],
    [
      { dataset: { gray: 2 } },
      '"dataset.gray" is 2, expected a number of at least 0 and of at most 1',
    ],
    [{ cuda: "yes" }, '"cuda" is "yes", expected true or false'],
    [{ head: { enabled: false } }, '"head.enabled" is false, expected true'],
    [5, "expected a section of settings"],
  ];
  for (const [experiment, text] of cases) assertProblem(experiment, text);
});

Deno.test("parseExperiment() reports all problems together", () => {
  const error = errorOf({ nmae: "x", training: { epochs: 0, batchSzie: 8 } });
  assertEquals(
    error.problems.map((problem) => problem.key).sort(),
    ["nmae", "training.batchSzie", "training.epochs"],
  );
  assertStringIncludes(error.message, "Cannot use mine.ts, 3 problems:\n  - ");
});

Deno.test("parseExperiment() refuses sizes that do not match", () => {
  assertProblem(
    { training: { scoreSize: 24 } },
    '"training.scoreSize" is 24, expected 25 = (searchSize 255 - exemplarSize 127) / points.stride 8 + ' +
      "1 + baseSize 8, size not match!",
  );
  assertProblem(
    { training: { searchSize: 271 } },
    '"training.scoreSize" is 25 by default, expected 27',
  );
  assertProblem({ points: { stride: 7 } }, "which is no whole number");
  assertProblem(
    { training: { searchSize: 100 } },
    "expected more than training.exemplarSize (127)",
  );
  assertProblem({ training: { baseSize: 7 } }, "which makes a score map of 25");
  assertProblem({ tracking: { baseSize: 7 }, training: { baseSize: 8 } }, "training.baseSize (8)");
  assertProblem({ backbone: { kwargs: { usedLayers: [1, 2] } } }, "score maps of 33, 25");
  assertProblem({ backbone: { type: "alexnet" } }, "an AlexNet runs without neck");
});

Deno.test("parseExperiment() takes other sizes that match", () => {
  const larger = parseExperiment({
    training: { searchSize: 271, scoreSize: 27 },
    tracking: { searchSize: 287 },
  });
  assertEquals(larger.training.scoreSize, 27);
  const unchecked = parseExperiment({ training: { scoreSize: 24 } }, { checkSizes: false });
  assertEquals(unchecked.training.scoreSize, 24);
});

Deno.test("parseExperiment() refuses parts that do not fit each other", () => {
  const cases: [Experiment, string][] = [
    [
      { training: { posNum: 65 } },
      '"training.posNum" is 65, expected at most training.totalNum (64)',
    ],
    [{ training: { startEpoch: 20 } }, "expected an epoch below training.epochs (20)"],
    [{ training: { epochs: 5 } }, '"training.lrWarmup.epoch" is 5 by default'],
    [{ dataset: { videosPerEpoch: 8 } }, "expected at least training.batchSize (32)"],
    [{ dataset: { names: ["COC"] } }, 'with root and anno, did you mean "COCO"'],
    [{ dataset: { sets: { X: { root: "x" } } } }, '"dataset.sets.X.anno" is missing'],
    [{ backbone: { trainLayers: ["layer5"] } }, '"backbone.trainLayers.0" is "layer5"'],
    [
      { backbone: { kwargs: { usedLayers: [2] }, trainLayers: ["layer3"] } },
      "expected a layer of this resnet50: conv1, bn1, layer1, layer2",
    ],
    [{ neck: { type: "AdjustLayer" } }, "expected AdjustAllLayer for the 3 levels"],
    [{ neck: { kwargs: { inChannels: [1, 2, 3] } } }, "expected [512, 1024, 2048]"],
    [{ neck: { kwargs: { outChannels: [256] } } }, "expected 3 channel counts, one a level"],
    [{ head: { type: "DepthwiseBAN" } }, "expected MultiBAN for 3 levels"],
    [{ head: { kwargs: { inChannels: [256, 256] } } }, "expected [256, 256, 256]"],
    [{ backbone: { type: "mobilenetv2", kwargs: { widthMult: 0.01 } } }, "leaves a channel"],
    [
      {
        training: {
          lrWarmup: { warmup: false },
          lr: { type: "step", kwargs: { endLr: 1, step: 21 } },
        },
      },
      "expected at most the 20 epochs of this schedule",
    ],
    [
      { training: { lr: { type: "multi-step", kwargs: { startLr: null } } } },
      '"training.lr.kwargs.startLr" is null, expected a number above 0, or one for endLr',
    ],
  ];
  for (const [experiment, text] of cases) assertProblem(experiment, text);
});

Deno.test("parseExperiment() adds sets of one's own to the public ones", () => {
  const { sets } = parseExperiment({
    dataset: { names: ["MINE"], sets: { MINE: { root: "a", anno: "b" }, VID: { numUse: 5 } } },
  }).dataset;
  assertEquals(sets.MINE, { root: "a", anno: "b", frameRange: 100, numUse: -1 });
  assertEquals(sets.VID.numUse, 5);
  assertEquals(sets.VID.root, "training_dataset/vid/crop511");
});

Deno.test("parseExperiment() leaves its argument and later results alone", () => {
  const experiment = { training: { epochs: 30 } };
  parseExperiment(experiment);
  assertEquals(experiment, { training: { epochs: 30 } });
  const first = parseExperiment({}).backbone.trainLayers as string[];
  first.push("layer1");
  assertEquals(parseExperiment({}).backbone.trainLayers, ["layer2", "layer3", "layer4"]);
});
