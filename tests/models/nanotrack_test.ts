import { assert, assertEquals } from "@std/assert";
import { loadExperiment } from "../../src/config/mod.ts";
import {
  buildModel,
  freezeBackbone,
  NanoTrack,
  parameterGroups,
  type Prediction,
} from "../../src/models/mod.ts";
import { gradients, namedParameters, setTraining, stateDict } from "../../src/nn/mod.ts";
import { GoldenFolder } from "../../src/parity/golden_folder.ts";
import { nanotrackForm } from "../../src/parity/forms/nanotrack.ts";
import { isCheck } from "../../src/parity/form.ts";
import { Rng } from "../../src/random.ts";
import { toBatchTensors } from "../../src/training/step.ts";
import { sharedGolden } from "../data/golden.ts";
import { BACKENDS } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { hasProgram } from "../support/programs.ts";
import { randomTensor } from "../support/random_tensors.ts";

const CONFIGS = new URL("../../configs/", import.meta.url).pathname;
const [fast] = BACKENDS.filter(({ available }) => available);
const [native, reference] = ["onednn", "reference"]
  .map((wanted) => BACKENDS.find(({ name }) => name === wanted)!);
const golden = sharedGolden("tracks");

async function configOf(version: number) {
  return (await loadExperiment(`${CONFIGS}nanotrack_v${version}.ts`)).config;
}

// Entries and parameters of the published weights.
for (
  const [version, entries, parameters] of [[1, 231, 292190], [2, 298, 338302], [3, 438, 550854]]
) {
  Deno.test(`NanoTrack V${version} has the published number of weights, under ban_head`, async () => {
    await using _ = await fast.use();
    using model = buildModel(await configOf(version));
    assert(model instanceof NanoTrack);
    const keys = [...stateDict(model).keys()];
    assertEquals(keys.length, entries);
    const sizes = [...namedParameters(model)].map(({ parameter }) => parameter.tensor.size);
    assertEquals(sizes.reduce((sum, size) => sum + size), parameters);
    const [, neck, head] = parameterGroups(model).map((group) => group.parameters[0].name);
    assertEquals(neck, "neck.downsample.0.weight");
    assert(head.startsWith("ban_head.corr_"));
    assert(keys.some((key) => /^ban_head\.corr_\w+\.CA_layer\.fc1\.weight$/.test(key)));
  });

  Deno.test(`NanoTrack V${version} gives a gradient to all it applies`, async () => {
    await using _ = await fast.use();
    const config = await configOf(version);
    using model = buildModel(config, new Rng(3));
    freezeBackbone(model, config.backbone.trainLayers);
    const batch = batchOf(config.training.scoreSize);
    const all = parameterGroups(model).flatMap(({ parameters }) => parameters);
    const found = gradients(all.map(({ parameter }) => parameter), () => model.losses(batch));
    const without = all.filter(({ parameter }) => !found.gradients.has(parameter));
    // The neck is saved but never applied.
    assertEquals(without.map(({ name }) => name), [
      "neck.downsample.0.weight",
      "neck.downsample.1.weight",
      "neck.downsample.1.bias",
    ]);
    const [total] = found.losses.total.dataSync();
    assert(total > 0.3 && total < 10, `the loss is ${total}`);
  });
}

Deno.test({
  name: "NanoTrack V3 predicts the same on all host backends",
  ignore: !native.available,
  async fn() {
    const config = await configOf(3);
    const predictions: Float32Array[][] = [];
    for (const { use } of [native, reference]) {
      await using _ = await use();
      using model = buildModel(config, new Rng(4));
      setTraining(model, false);
      const { template, search } = batchOf(config.training.scoreSize);
      const zf = model.template(template);
      const { cls, loc }: Prediction = model.track(zf, search);
      predictions.push([cls.dataSync<"float32">(), loc.dataSync<"float32">()]);
    }
    const [[cls, loc], ...others] = predictions;
    for (const [otherCls, otherLoc] of others) {
      assertClose(cls, otherCls, { tolerance: 1e-4, what: "cls" });
      assertClose(loc, otherLoc, { tolerance: 1e-4, what: "loc" });
    }
  },
});

for (const version of [1, 3]) {
  Deno.test({
    name: `NanoTrack V${version} tracks with the published weights as the reference does`,
    ignore: !golden || !native.available || !await hasProgram("ffmpeg"),
    async fn() {
      await using backend = await native.use();
      const folder = await GoldenFolder.open(golden!);
      const path = `nanotrackv${version}_bag.json`;
      const media = [`${golden}/../../realdata`];
      const findings = nanotrackForm.match(
        { path, content: await folder.json(path) },
        { folder, options: { backend: backend.name, media } },
      )!;
      const checks = (await Array.fromAsync(findings)).filter(isCheck);
      assertEquals(checks.map(({ name }) => name.slice(path.length + 1)), [
        "state dict",
        "first step",
        "video",
        "pictures",
      ]);
      assertEquals(checks.filter(({ passed }) => !passed), []);
    },
  });
}

/** Two random pairs; points near the middle are positive. */
function batchOf(score: number) {
  const rng = new Rng(9);
  const pixels = (side: number) =>
    randomTensor(rng, [2, side, side, 3], { mean: 128, deviation: 50 }).dataSync<"float32">();
  const labelCls = Int32Array.from({ length: 2 * score * score }, (_, i) => {
    const x = i % score - score / 2, y = Math.floor(i / score) % score - score / 2;
    return x * x + y * y < 6 ? 1 : (i % 5) - 1 > 0 ? -1 : 0;
  });
  return toBatchTensors(
    {
      size: 2,
      template: pixels(127) as Float32Array<ArrayBuffer>,
      search: pixels(255) as Float32Array<ArrayBuffer>,
      labelCls,
      labelLoc: new Float32Array(2 * score * score * 4).fill(40),
    } as Parameters<typeof toBatchTensors>[0],
  );
}
