import { assertEquals } from "@std/assert";
import { describe } from "../../src/nn/mod.ts";
import { buildModel, freezeBackbone } from "../../src/models/mod.ts";
import { testOnBackends } from "../support/backends.ts";
import { readModelFixture, readStructure } from "../support/golden_models.ts";

testOnBackends("describe() prints the reference's tree, frozen and trained", () => {
  const { config } = readStructure("resnet50");
  using model = buildModel(config);
  for (const [epoch, layers] of [[0, []], [10, config.backbone.trainLayers]] as const) {
    freezeBackbone(model, layers);
    const expected = readModelFixture(`describe_resnet50_epoch${epoch}.txt`).trimEnd();
    assertEquals(describe(model, { color: true }), expected, `epoch ${epoch}`);
  }
});

testOnBackends("describe() marks with a star where there is no colour", () => {
  using model = buildModel(readStructure("alexnetlegacy_depthwise").config);
  freezeBackbone(model);
  assertEquals(describe(model).split("\n").slice(0, 4), [
    ".backbone* (AlexNetLegacy)",
    "         .features* (Sequential)",
    "                  .0* (Conv2d)",
    "                    - weight",
  ]);
});
