import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { bytesOf, hostTensor, type StateDict } from "../../src/weights/host_tensor.ts";
import { findStateDict } from "../../src/weights/load.ts";
import { readSafetensors } from "../../src/weights/safetensors.ts";
import { readTorchFile } from "../../src/weights/torch_file.ts";
import {
  restoreFrom,
  type TorchSnapshot,
  toTorchSnapshot,
} from "../../src/weights/torch_snapshot.ts";
import { torchFileChunks, writeTorchFile } from "../../src/weights/torch_writer.ts";
import { CHECKPOINTS, joinBytes, temporaryFolder } from "./fixtures.ts";
import { PYTHON_WITH_TORCH, runPython } from "./python.ts";

const isParameter = (key: string) => !/running_|num_batches/.test(key);
const isTrained = (key: string) => /layer[234]/.test(key);

function shapesOf(tensors: StateDict) {
  return new Map([...tensors].map(([key, { shape }]) => [key, shape]));
}

for (const [epoch, unfrozen] of [[3, false], [12, true]] as const) {
  Deno.test(`restoreFrom() takes apart the trainer's snapshot of epoch ${epoch}`, async () => {
    const { value } = await readTorchFile(join(CHECKPOINTS, `train_epoch${epoch}_zip.pth`));
    const model = shapesOf(findStateDict(value));
    const parameters = [...model.keys()].filter(isParameter);
    const groups = [
      parameters.filter((key) => unfrozen && key.startsWith("backbone") && isTrained(key)),
      parameters.filter((key) => key.startsWith("neck")),
      parameters.filter((key) => key.startsWith("head")),
    ];
    const restored = restoreFrom(value, { model, groups });
    assertEquals(restored.epoch, epoch);
    assertEquals(restored.report.missing, []);
    assertEquals(restored.sgd.groups.map(({ initialLr }) => initialLr), [0.0005, 0.005, 0.005]);
    assertEquals([...restored.sgd.momentum.keys()], groups.flat());

    const { tensors } = await readSafetensors(
      join(CHECKPOINTS, `train_epoch${epoch}.expected.safetensors`),
    );
    for (const [i, key] of groups.flat().entries()) {
      const expected = tensors.get(`optimizer/state/${i}/momentum_buffer`)!;
      assertEquals(bytesOf(restored.sgd.momentum.get(key)!), bytesOf(expected), key);
    }
  });
}

function tensor(...values: number[]) {
  return hostTensor("float32", [values.length], Float32Array.from(values));
}

const snapshot: TorchSnapshot = {
  epoch: 7,
  stateDict: new Map([
    ["a.weight", tensor(1, 2)],
    ["a.num_batches_tracked", hostTensor("int64", [], BigInt64Array.of(42n))],
    ["b.weight", tensor(3)],
    ["b.bias", tensor(4)],
  ]),
  sgd: {
    groups: [
      { lr: 0.001, initialLr: 0.01, momentum: 0.9, weightDecay: 1e-4, parameters: [] },
      { lr: 0.002, initialLr: 0.02, momentum: 0.9, weightDecay: 1e-4, parameters: ["a.weight"] },
      {
        lr: 0.003,
        initialLr: 0.03,
        momentum: 0.9,
        weightDecay: 0,
        parameters: ["b.weight", "b.bias"],
      },
    ],
    momentum: new Map([["a.weight", tensor(5, 6)], ["b.bias", tensor(7)]]),
  },
};
const model = shapesOf(snapshot.stateDict);
const groups = snapshot.sgd.groups.map(({ parameters }) => parameters);

async function read(value: TorchSnapshot) {
  return (await readTorchFile(joinBytes(torchFileChunks(toTorchSnapshot(value))))).value;
}

Deno.test("restoreFrom() gives back what toTorchSnapshot() laid out", async () => {
  const { epoch, tensors, sgd, report } = restoreFrom(await read(snapshot), { model, groups });
  assertEquals(epoch, 7);
  assertEquals(sgd.groups, snapshot.sgd.groups);
  assertEquals(report.missing, []);
  for (
    const [read, wrote] of [[tensors, snapshot.stateDict], [sgd.momentum, snapshot.sgd.momentum]]
  ) {
    assertEquals([...read.keys()], [...wrote.keys()]);
    for (const [key, { data }] of wrote) assertEquals(read.get(key)!.data, data, key);
  }
});

Deno.test("restoreFrom() says what does not fit", async () => {
  const value = await read(snapshot);
  const restore = (changed: Partial<{ model: typeof model; groups: typeof groups }>) => () =>
    restoreFrom(value, { model, groups, ...changed });
  assertThrows(
    restore({ groups: groups.slice(1) }),
    RangeError,
    "has 3 parameter groups, expected 2",
  );
  assertThrows(
    restore({ groups: [["b.weight"], ["a.weight"], ["b.bias"]] }),
    RangeError,
    "parameter group 0 has 0 parameters, expected 1",
  );
  assertThrows(
    restore({ groups: [[], ["b.weight"], ["a.weight", "b.bias"]] }),
    RangeError,
    'Cannot restore the momentum of "b.weight": shape is [2], expected [1]',
  );
  assertThrows(
    () => restoreFrom(new Map([["state_dict", snapshot.stateDict]]), { model, groups }),
    TypeError,
    "it has no epoch",
  );
});

Deno.test({
  name: "torch.optim.SGD resumes from toTorchSnapshot()",
  ignore: !PYTHON_WITH_TORCH,
  async fn() {
    using folder = temporaryFolder();
    const path = join(folder.path, "snapshot.pth");
    await writeTorchFile(path, toTorchSnapshot(snapshot));
    const output = await runPython(
      `
import json, sys, torch
s = torch.load(sys.argv[1])
d = s["state_dict"]
frozen = torch.nn.Parameter(torch.zeros(1))
ps = [torch.nn.Parameter(d[k].clone()) for k in ("a.weight", "b.weight", "b.bias")]
groups = [dict(params=[], lr=1.), dict(params=ps[:1], lr=1.), dict(params=ps[1:], lr=1.)]
opt = torch.optim.SGD(groups, lr=1., momentum=0.5)
opt.load_state_dict(s["optimizer"])
for p in ps: p.grad = torch.ones_like(p)
opt.step()
print(json.dumps([s["epoch"], d["a.num_batches_tracked"].item(),
  [g["initial_lr"] for g in opt.param_groups], [p.tolist() for p in ps]]))`,
      path,
    );
    const [epoch, counter, rates, stepped] = JSON.parse(output);
    assertEquals([epoch, counter, rates], [7, 42, [0.01, 0.02, 0.03]]);
    // v = 0.9 v + g + decay w; w -= lr v. Without momentum yet, v = g + decay w.
    const step = (w: number, v: number, lr: number, decay: number) =>
      w - lr * (0.9 * v + 1 + decay * w);
    const expected = [
      [step(1, 5, 0.002, 1e-4), step(2, 6, 0.002, 1e-4)],
      [step(3, 0, 0.003, 0)],
      [step(4, 7, 0.003, 0)],
    ];
    assertEquals(
      stepped.flat().map((w: number) => Math.fround(w).toFixed(5)),
      expected.flat().map((w) => Math.fround(w).toFixed(5)),
    );
  },
});
