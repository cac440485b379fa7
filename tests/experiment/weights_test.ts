import { assertEquals, assertRejects } from "@std/assert";
import { parseExperiment } from "../../src/config/mod.ts";
import { loadPretrained, loadWeights } from "../../src/experiment/weights.ts";
import { stateDict } from "../../src/nn/mod.ts";
import { saveCheckpoint } from "../../src/training/checkpoint.ts";
import { Trainer } from "../../src/training/trainer.ts";
import {
  hostTensor,
  type StateDict,
  writeSafetensors,
  writeTorchFile,
} from "../../src/weights/mod.ts";
import { OrderedDict } from "../../src/weights/mod.ts";
import { buildModel } from "../../src/models/mod.ts";
import { Rng } from "../../src/random.ts";
import { temporaryFolder } from "../data/demo.ts";
import { testTiny, tinyExperiment, tinyModel } from "../training/tiny.ts";

function withPretrained(backbone: string, model: string) {
  const config = tinyExperiment({ training: { pretrained: model } });
  return { ...config, backbone: { ...config.backbone, pretrained: backbone } };
}

/** Renames keys; those without a new name are left out. */
function renamed(tensors: StateDict, rename: (key: string) => string | undefined): StateDict {
  return new Map([...tensors].flatMap(([key, tensor]) => {
    const name = rename(key);
    return name === undefined ? [] : [[name, tensor]];
  }));
}

const message = (path: string, lines: readonly string[]) =>
  [`load pretrained weights from ${path}`, ...lines].join("\n");

testTiny("loadPretrained() tells used, unused and missing keys", async () => {
  await using folder = await temporaryFolder();
  using source = buildModel(tinyExperiment(), new Rng(2));
  const all = stateDict(source);
  const [backbone, model] = [`${folder.path}/backbone.pth`, `${folder.path}/model.safetensors`];
  // As published files are: "features." left out, a classifier besides, no counters.
  const features = renamed(
    all,
    (key) => key.endsWith("tracked") ? undefined : /^backbone\.features\.(.*)/.exec(key)?.[1],
  );
  const classifier = hostTensor("float32", [1], new Float32Array(1));
  await writeTorchFile(backbone, new OrderedDict([...features, ["classifier.weight", classifier]]));
  await writeSafetensors(
    model,
    renamed(all, (key) => key.endsWith("head.3.bias") ? undefined : key),
  );
  using target = tinyModel(tinyExperiment());
  const messages = await Array.fromAsync(loadPretrained(target, withPretrained(backbone, model)));
  assertEquals(messages, [
    message(`${backbone}, with "features." put before its keys`, [
      "used keys: 30",
      "unused checkpoint keys: 1",
      "  features.classifier.weight",
      "missing keys: 0",
    ]),
    message(model, [
      "used keys: 73",
      "unused checkpoint keys: 0",
      "missing keys: 2",
      "  head.cls.head.3.bias",
      "  head.loc.head.3.bias",
    ]),
  ]);
  const loaded = stateDict(target);
  assertEquals(loaded.get("head.cls.head.3.weight"), all.get("head.cls.head.3.weight"));
  assertEquals(loaded.get("backbone.features.0.weight"), all.get("backbone.features.0.weight"));
});

testTiny("loadPretrained() names the setting whose file is missing", async () => {
  using model = tinyModel(tinyExperiment());
  const load = (backbone: string, whole: string) => () =>
    Array.fromAsync(loadPretrained(model, withPretrained(backbone, whole)));
  await assertRejects(
    load("none.pth", ""),
    Error,
    'Cannot load backbone.pretrained: there is no file "none.pth", put it there, ' +
      "or start from random weights with --set backbone.pretrained=",
  );
  await assertRejects(load("", "none.pth"), Error, "Cannot load training.pretrained: there is no");
  assertEquals(await load("", "")(), []);
});

testTiny("loadWeights() takes the model out of a checkpoint of a training", async () => {
  await using folder = await temporaryFolder();
  const config = tinyExperiment();
  using source = buildModel(config, new Rng(2));
  using trainer = new Trainer(source, { config, stepsPerEpoch: 1 });
  const path = await saveCheckpoint(trainer, { folder: folder.path, config, stepsPerEpoch: 1 });
  using target = tinyModel(config);
  const { used, unused, missing } = await loadWeights(target, path);
  assertEquals([used.length, unused, missing], [75, [], []]);
  assertEquals(stateDict(target), stateDict(source));
});

testTiny("loadWeights() refuses weights of another model", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/other.safetensors`;
  using wide = buildModel(parseExperiment(
    {
      ...tinyExperiment(),
      backbone: { type: "alexnetlegacy", kwargs: { widthMult: 0.1 } },
      head: { type: "DepthwiseBAN", kwargs: { outChannels: 8 } },
    } as Parameters<typeof parseExperiment>[0],
  ));
  await writeSafetensors(path, stateDict(wide));
  using model = tinyModel(tinyExperiment());
  await assertRejects(
    () => loadWeights(model, path),
    RangeError,
    'Cannot load "backbone.features.0.weight": shape is [9, 3, 11, 11], expected [4, 3, 11, 11]',
  );
  await writeSafetensors(path, new Map([["x", hostTensor("float32", [1], new Float32Array(1))]]));
  await assertRejects(() => loadWeights(model, path), RangeError, 'they are named "x"');
});
