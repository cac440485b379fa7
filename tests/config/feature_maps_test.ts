import { assertEquals } from "@std/assert";
import {
  type BackboneShape,
  featureChannels,
  featureSizes,
  layerNames,
  scoreMapSize,
} from "../../src/config/feature_maps.ts";
import { parseDraft } from "../../src/config/parse.ts";
import { parseReferenceYaml } from "../../src/config/yaml.ts";

const r50: BackboneShape = { type: "resnet50", kwargs: { usedLayers: [2, 3, 4] } };
const mobilenet: BackboneShape = {
  type: "mobilenetv2",
  kwargs: { widthMult: 1.4, usedLayers: [3, 5, 7] },
};
const alexnet: BackboneShape = { type: "alexnet", kwargs: { widthMult: 1 } };

Deno.test("featureChannels() has the published channels", () => {
  assertEquals(featureChannels(r50), [512, 1024, 2048]);
  assertEquals(featureChannels({ type: "resnet18", kwargs: { usedLayers: [0, 4] } }), [64, 512]);
  assertEquals(featureChannels(mobilenet), [44, 134, 448]);
  assertEquals(featureChannels(alexnet), [256]);
});

Deno.test("featureSizes() has the published sizes of a template and a search image", () => {
  for (const backbone of [r50, mobilenet]) {
    assertEquals(featureSizes(backbone, 127), [15, 15, 15]);
    assertEquals(featureSizes(backbone, 255), [31, 31, 31]);
  }
  assertEquals(featureSizes(alexnet, 127), [6]);
  assertEquals(featureSizes(alexnet, 255), [22]);
  const all: BackboneShape = { type: "resnet18", kwargs: { usedLayers: [0, 1, 2] } };
  assertEquals(featureSizes(all, 127), [61, 31, 15]);
});

Deno.test("scoreMapSize() is 25 with a neck, 17 without, 0 where nothing is left", () => {
  assertEquals(scoreMapSize({ template: 15, search: 31, neck: true }), 25);
  assertEquals(scoreMapSize({ template: 15, search: 31, neck: false }), 17);
  assertEquals(scoreMapSize({ template: 6, search: 22, neck: false }), 17);
  assertEquals(scoreMapSize({ template: 6, search: 22, neck: true }), 0);
});

Deno.test("layerNames() lists the stages that are built", () => {
  assertEquals(layerNames(alexnet), ["layer1", "layer2", "layer3", "layer4", "layer5"]);
  assertEquals(layerNames({ type: "resnet34", kwargs: { usedLayers: [3] } }), [
    "conv1",
    "bn1",
    "layer1",
    "layer2",
    "layer3",
  ]);
});

const golden = new URL("../../../shared/golden/models/", import.meta.url);

function goldenNetworks(): string[] {
  try {
    return [...Deno.readDirSync(golden)].map(({ name }) => name)
      .filter((name) => name.endsWith(".layers.json"))
      .map((name) => name.replace(".layers.json", ""));
  } catch {
    return [];
  }
}

/** Channels and side of what the last layer of the backbone returns. */
function lastOutput(calls: readonly [string, number[], number[]][]): number[] {
  return calls.filter(([name]) => name.startsWith("backbone.")).at(-1)![2].slice(0, 2);
}

Deno.test({
  name: "featureChannels() and featureSizes() equal the golden networks",
  ignore: goldenNetworks().length === 0,
  fn() {
    const read = (file: string) => JSON.parse(Deno.readTextFileSync(new URL(file, golden)));
    for (const name of goldenNetworks()) {
      const draft = parseReferenceYaml(JSON.stringify(read(`${name}.json`).config), name);
      const { backbone } = parseDraft(draft);
      const layers = read(`${name}.layers.json`);
      const last = (imageSize: number) => [
        featureChannels(backbone).at(-1),
        featureSizes(backbone, imageSize).at(-1),
      ];
      assertEquals(last(127), lastOutput(layers.calls_template), name);
      assertEquals(last(255), lastOutput(layers.calls_track), name);
    }
  },
});
