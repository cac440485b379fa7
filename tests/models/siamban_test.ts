import { assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { parseExperiment } from "../../src/config/mod.ts";
import { buildModel, freezeBackbone, parameterGroups } from "../../src/models/mod.ts";
import {
  BatchNorm2d,
  modules,
  namedEntries,
  namedParameters,
  Parameter,
  setTraining,
  stateDict,
  torchShape,
} from "../../src/nn/mod.ts";
import { checkLayers } from "../../src/parity/layers.ts";
import { Rng } from "../../src/random.ts";
import { BACKENDS, testOnBackends } from "../support/backends.ts";
import { MODEL_NAMES, readStructure } from "../support/golden_models.ts";
import { assertNoLeak, liveTensors } from "../support/leaks.ts";

/** Structure does not depend on the backend. */
const REFERENCE = BACKENDS.filter(({ name }) => name === "reference");

for (const name of MODEL_NAMES) {
  testOnBackends(`buildModel() of ${name} has the published names, order and shapes`, () => {
    const { golden, config } = readStructure(name);
    using model = buildModel(config);
    const found = [...namedEntries(model)].map(({ name, entry }) => [
      name,
      [...torchShape(entry.shape)],
      entry instanceof Parameter ? "param" : "buffer",
    ]);
    assertEquals(found, golden.state_dict.map(([name, shape, , role]) => [name, shape, role]));
    const layers = checkLayers(name, model, golden.layers);
    assertEquals(layers.passed, true, layers.detail);
  }, REFERENCE);

  testOnBackends(`parameterGroups() of ${name} are the published ones`, () => {
    const { golden, config } = readStructure(name);
    using model = buildModel(config);
    const names = () =>
      parameterGroups(model).map(({ parameters }) => parameters.map(({ name }) => name));
    freezeBackbone(model);
    assertEquals(names(), golden.param_group_names.frozen);
    freezeBackbone(model, config.backbone.trainLayers);
    assertEquals(names(), golden.param_group_names.finetune);
  }, REFERENCE);
}

for (const [type, blocks] of [["resnet18", 2], ["resnet34", 3]] as const) {
  testOnBackends(`buildModel() leaves out what ${type} does not use`, () => {
    const kwargs = { usedLayers: [2] };
    using model = buildModel(parseExperiment(
      { backbone: { type, kwargs }, head: { type: "DepthwiseBAN" } },
      { checkSizes: false },
    ));
    const names = [...namedParameters(model)].map(({ name }) => name);
    assertEquals(names.some((name) => name.startsWith("backbone.layer3")), false);
    assertEquals(names.includes("neck.downsample.downsample.0.weight"), true);
    assertEquals(model.backbone.stages()[2].layers.length, blocks);
  }, REFERENCE);
}

testOnBackends("freezeBackbone() keeps the statistics of frozen norms only", () => {
  using model = buildModel(readStructure("resnet18").config);
  freezeBackbone(model, ["layer4"]);
  const training = (part: Parameters<typeof modules>[0]) =>
    new Set(
      modules(part).filter((module) => module instanceof BatchNorm2d)
        .map((norm) => norm.training),
    );
  assertEquals(training(model.backbone.part("layer3")!), new Set([false]));
  assertEquals(training(model.backbone.part("layer4")!), new Set([true]));
  assertEquals(training(model.neck!), new Set([true]));
  assertThrows(
    () => freezeBackbone(model, ["layer5"]),
    RangeError,
    'Cannot train backbone layer "layer5": expected one of conv1',
  );
}, REFERENCE);

testOnBackends("buildModel() draws the same weights from the same seed", () => {
  const { config } = readStructure("alexnetlegacy_depthwise");
  const draw = (seed: number) => {
    using model = buildModel(config, new Rng(seed));
    return stateDict(model);
  };
  const first = draw(1);
  assertEquals(draw(1), first);
  // A part of each room, so that none is left at zero or at one seed's weights.
  for (const name of ["backbone.features.0.weight", "head.loc.conv_search.0.weight"]) {
    assertNotEquals(draw(2).get(name), first.get(name), name);
  }
}, REFERENCE);

testOnBackends("SiamBAN tracks with a template as a value and leaves no tensor", () => {
  using model = buildModel(readStructure("resnet18").config, new Rng(1));
  setTraining(model, false);
  const z = tf.ones<tf.Rank.R4>([1, 127, 127, 3]), x = tf.ones<tf.Rank.R4>([1, 255, 255, 3]);
  const run = () => {
    const zf = model.template(z);
    const { cls, loc } = model.track(zf, x);
    assertEquals([cls.shape, loc.shape], [[1, 25, 25, 2], [1, 25, 25, 4]]);
    tf.dispose([...zf, cls, loc]);
  };
  run(); // a backend may keep folded weights
  assertNoLeak(run);
  tf.dispose([z, x]);
}, BACKENDS.filter(({ name }) => name !== "reference"));

testOnBackends("A disposed model leaves no tensor", () => {
  const before = liveTensors();
  buildModel(readStructure("mobilenetv2").config)[Symbol.dispose]();
  assertEquals(liveTensors(), before);
});
