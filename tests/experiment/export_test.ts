import { assertEquals, assertRejects } from "@std/assert";
import { exportCheckpoint } from "../../src/experiment/export.ts";
import { parameterGroups } from "../../src/models/mod.ts";
import { stateDict } from "../../src/nn/mod.ts";
import { saveCheckpoint } from "../../src/training/checkpoint.ts";
import { Trainer } from "../../src/training/trainer.ts";
import {
  type HostTensor,
  readSafetensors,
  readTorchFile,
  type StateDict,
  writeSafetensors,
} from "../../src/weights/mod.ts";
import { temporaryFolder } from "../data/demo.ts";
import { noiseBatches, testTiny, tinyExperiment, tinyModel, useTiny } from "../training/tiny.ts";
import { PYTHON_WITH_TORCH, runPython } from "../weights/python.ts";

const config = tinyExperiment({ backbone: { layersLr: 0.5 }, training: { epochs: 2 } });

/** A checkpoint after one epoch of one step, the model in it and what it is of. */
async function trainOneEpoch(folder: string) {
  const model = tinyModel(config);
  using trainer = new Trainer(model, { config, stepsPerEpoch: 1 });
  for await (const { kind } of trainer.run(noiseBatches(config, { stepsPerEpoch: 1 }))) {
    if (kind === "pause") break;
  }
  const path = await saveCheckpoint(trainer, { folder, config, stepsPerEpoch: 1 });
  return { model, path, velocities: trainer.optimizer.velocities() };
}

/** What a tensor is, whatever file it comes from. */
function plain([name, { dtype, shape, data }]: readonly [string, HostTensor]) {
  return { name, dtype, shape, data };
}

testTiny("exportCheckpoint() writes the weights alone as safetensors", async () => {
  await using folder = await temporaryFolder();
  const { model: source, path: from } = await trainOneEpoch(folder.path);
  using model = source;
  const to = `${folder.path}/weights.safetensors`;
  const { weights, momenta, position } = await exportCheckpoint({ from, to, config });
  assertEquals([weights, momenta, position], [75, 0, { epoch: 1, step: 0 }]);
  assertEquals((await readSafetensors(to)).tensors, stateDict(model));
});

testTiny("exportCheckpoint() writes what the published trainer saves", async () => {
  await using folder = await temporaryFolder();
  const { model: source, path: from, velocities } = await trainOneEpoch(folder.path);
  using model = source;
  const to = `${folder.path}/snapshot.pth`;
  const { weights, momenta } = await exportCheckpoint({ from, to, config });
  assertEquals([weights, momenta], [75, 42]);
  const { value } = await readTorchFile(to);
  const snapshot = value as ReadonlyMap<string, unknown>;
  assertEquals([...snapshot.keys()], ["epoch", "state_dict", "optimizer"]);
  assertEquals(snapshot.get("epoch"), 1);
  const saved = [...snapshot.get("state_dict") as StateDict];
  assertEquals(saved.map(plain), [...stateDict(model)].map(plain));
  const optimizer = snapshot.get("optimizer") as ReadonlyMap<string, unknown>;
  const groups = optimizer.get("param_groups") as ReadonlyMap<string, unknown>[];
  const rates = groups.map((group) => [group.get("lr"), group.get("initial_lr")]);
  assertEquals(rates, [[0.0005, 0.005], [0.001, 0.01]]); // of the epoch to come
  const names = parameterGroups(model).map(({ parameters }) => parameters.map((p) => p.name));
  assertEquals(groups.map((group) => (group.get("params") as unknown[]).length), [20, 22]);
  const state = optimizer.get("state") as ReadonlyMap<number, StateDict>;
  for (const [i, name] of names.flat().entries()) {
    const momentum = state.get(i)!.get("momentum_buffer")!;
    assertEquals(plain([name, momentum]), plain([name, velocities.get(name)!]));
  }
});

testTiny("exportCheckpoint() says what it cannot do", async () => {
  await using folder = await temporaryFolder();
  const { model: source, path: from } = await trainOneEpoch(folder.path);
  using model = source;
  const plain = `${folder.path}/plain.safetensors`;
  await writeSafetensors(plain, stateDict(model));
  const refusals = [
    [from, "model.onnx", 'Cannot export to "model.onnx": expected a name that ends in .pth or'],
    [plain, `${folder.path}/a.pth`, "it holds weights only, expected a checkpoint of training"],
    [`${folder.path}/none.safetensors`, `${folder.path}/a.pth`, "No such file or directory"],
  ];
  for (const [from, to, message] of refusals) {
    await assertRejects(() => exportCheckpoint({ from, to, config }), Error, message);
  }
});

/** The same network in PyTorch, as far as its state dict goes, and tools/train.py's way to resume it. */
const RESUME = `
import json, sys
import torch
from torch import nn

snapshot = torch.load(sys.argv[1], map_location="cpu")
names = json.loads(sys.argv[2])
state = snapshot["state_dict"]
groups = [[nn.Parameter(torch.zeros_like(state[name])) for name in group] for group in names]
rates = [0.005, 0.01]
optimizer = torch.optim.SGD([{"params": p, "lr": r} for p, r in zip(groups, rates)], momentum=0.9)
optimizer.load_state_dict(snapshot["optimizer"])
for parameters, group in zip(groups, names):
    for parameter, name in zip(parameters, group):
        parameter.data.copy_(state[name])
        parameter.grad = torch.zeros_like(parameter)
optimizer.step()
flat = [(n, p) for group, ps in zip(names, groups) for n, p in zip(group, ps)]
print(json.dumps({"epoch": snapshot["epoch"], "after": {n: p.double().sum().item() for n, p in flat}}))
`;

Deno.test({
  name: "exportCheckpoint() writes what PyTorch's optimiser goes on with",
  ignore: !PYTHON_WITH_TORCH,
  async fn() {
    await using folder = await temporaryFolder();
    await using _ = await useTiny();
    const { model: source, path: from, velocities } = await trainOneEpoch(folder.path);
    using model = source;
    const to = `${folder.path}/snapshot.pth`;
    await exportCheckpoint({ from, to, config });
    const names = parameterGroups(model).map(({ parameters }) => parameters.map((p) => p.name));
    const { epoch, after } = JSON.parse(await runPython(RESUME, to, JSON.stringify(names)));
    assertEquals(epoch, 1);
    const weights = stateDict(model);
    for (const [group, parameters] of names.entries()) {
      for (const name of parameters) {
        // One step without a gradient: v = 0.9 v + 0.0001 w, w -= lr v.
        const { data } = weights.get(name)!, velocity = velocities.get(name)!.data;
        let expected = 0;
        for (let i = 0; i < data.length; i++) {
          const weight = Number(data[i]);
          expected += weight -
            [0.0005, 0.001][group] * (0.9 * Number(velocity[i]) + 0.0001 * weight);
        }
        const error = Math.abs(after[name] - expected);
        if (!(error <= 1e-5 * Math.max(1, data.length / 100))) {
          throw new Error(`${name}: ${after[name]}, expected ${expected}`);
        }
      }
    }
  },
});
