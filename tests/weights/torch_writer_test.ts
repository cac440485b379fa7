import { assert, assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { bytesOf, hostTensor, isHostTensor } from "../../src/weights/host_tensor.ts";
import type { TorchWritable } from "../../src/weights/pickle_writer.ts";
import { OrderedDict, type PythonValue } from "../../src/weights/python_value.ts";
import { readTorchFile } from "../../src/weights/torch_file.ts";
import { torchFileChunks, writeTorchFile } from "../../src/weights/torch_writer.ts";
import { asMap, asTensor, CHECKPOINTS, joinBytes, temporaryFolder, weightsIn } from "./fixtures.ts";
import { PYTHON_WITH_TORCH, runPython } from "./python.ts";

async function roundTrip(value: TorchWritable): Promise<PythonValue> {
  return (await readTorchFile(joinBytes(torchFileChunks(value)))).value;
}

for (
  const value of [
    ...[0, 255, 256, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, Number.MIN_SAFE_INTEGER],
    ...[2n ** 63n, -(2n ** 63n), -(2n ** 100n), 0.1, -1e300, Infinity, NaN, -0],
    ...[null, true, false, "", "sïam▲", "\ufeff", Uint8Array.of(0, 128, 255)],
    [[], [1, [2.5]]],
    Object.freeze([1, "a", Object.freeze([])]),
    new Map<TorchWritable, TorchWritable>([[0, "a"], ["__proto__", null], [true, 2]]),
    new OrderedDict([["z", 1], ["a", 2]]),
  ] satisfies TorchWritable[]
) {
  Deno.test(`writeTorchFile() keeps ${Deno.inspect(value, { breakLength: Infinity })}`, async () => {
    const read = await roundTrip(value);
    assertEquals(read, value as PythonValue);
    assertEquals(Object.isFrozen(read), Object.isFrozen(value));
  });
}

Deno.test("writeTorchFile() writes a plain object as a dict", async () => {
  assertEquals(
    await roundTrip({ lr: 0.1, params: [0] }),
    new Map<string, unknown>([
      ["lr", 0.1],
      ["params", [0]],
    ]) as PythonValue,
  );
});

Deno.test("writeTorchFile() stores an array that two tensors share once", async () => {
  const data = Float32Array.of(1, 2);
  const [a, b] = [hostTensor("float32", [2], data), hostTensor("float32", [2, 1], data)];
  const read = asMap(await roundTrip({ a, b }));
  assertEquals(asTensor(read.get("b")).layout.storage, asTensor(read.get("a")).layout.storage);
  assertEquals(asTensor(read.get("b")).data, data);
});

for (const name of weightsIn(CHECKPOINTS).filter((name) => name.endsWith("_zip.pth"))) {
  Deno.test(`writeTorchFile() writes what was read from ${name} so that it reads the same`, async () => {
    const { value } = await readTorchFile(join(CHECKPOINTS, name));
    assertSame(await roundTrip(value as TorchWritable), value);
  });
}

function assertSame(value: PythonValue | undefined, expected: PythonValue): void {
  if (isHostTensor(expected)) {
    const tensor = asTensor(value);
    assertEquals([tensor.dtype, tensor.shape], [expected.dtype, expected.shape]);
    assertEquals(bytesOf(tensor), bytesOf(expected));
  } else if (expected instanceof Map) {
    assertEquals(value?.constructor, expected.constructor);
    assertEquals([...asMap(value).keys()], [...expected.keys()]);
    for (const [key, item] of expected) assertSame(asMap(value).get(key), item);
    if (expected instanceof OrderedDict) {
      assertEquals((value as OrderedDict).metadata, expected.metadata);
    }
  } else if (Array.isArray(expected)) {
    expected.forEach((item, i) => assertSame((value as PythonValue[])[i], item));
  } else {
    assertEquals(value, expected);
  }
}

for (
  const [what, value, error] of [
    ["a value that contains itself", selfReference(), RangeError],
    ["a date", new Date(), TypeError],
    ["undefined", { a: undefined }, TypeError],
  ] as const
) {
  Deno.test(`writeTorchFile() refuses ${what}`, () => {
    assertThrows(() => torchFileChunks(value as TorchWritable), error, "Cannot write");
  });
}

function selfReference(): TorchWritable {
  const list: TorchWritable[] = [];
  list.push(list);
  return list;
}

Deno.test({
  name: "torch.load reads what writeTorchFile() wrote, with weights_only too",
  ignore: !PYTHON_WITH_TORCH,
  async fn() {
    using folder = temporaryFolder();
    const [path, weights] = [join(folder.path, "w.pth"), join(folder.path, "weights.pth")];
    const stateDict = new OrderedDict([
      ["conv.weight", hostTensor("float32", [2, 1, 1, 2], Float32Array.of(1, 2, 3, 4))],
      ["bn.num_batches_tracked", hostTensor("int64", [], BigInt64Array.of(2n ** 40n))],
      ["half", hostTensor("float16", [2], Float16Array.of(0.5, -2))],
      ["brain", hostTensor("bfloat16", [1], Uint16Array.of(0x3fc0))],
      ["mask", hostTensor("bool", [2], Uint8Array.of(1, 0))],
      ["empty", hostTensor("float64", [0, 3], new Float64Array())],
    ]);
    stateDict.metadata = new Map([["", new Map([["version", 1]])]]);
    await writeTorchFile(path, { state_dict: stateDict, big: 2n ** 70n, list: [1.5, "é", null] });
    // Apart, because the first PyTorch that had weights_only refused every Python float.
    await writeTorchFile(weights, { state_dict: stateDict });
    const output = await runPython(
      `
import json, sys, torch
plain = torch.load(sys.argv[1])
safe = torch.load(sys.argv[2], weights_only=True)
d = plain["state_dict"]
assert type(d).__name__ == "OrderedDict" and d._metadata == {"": {"version": 1}}, d._metadata
assert all(torch.equal(d[k], safe["state_dict"][k]) for k in d)
assert all(d[k].is_contiguous() for k in d)
print(json.dumps([[k, str(v.dtype), list(v.shape), v.tolist()] for k, v in d.items()]))
print(json.dumps([str(plain["big"]), plain["list"]]))`,
      path,
      weights,
    );
    assertEquals(output.trim().split("\n").map((line) => JSON.parse(line)), [
      [
        ["conv.weight", "torch.float32", [2, 1, 1, 2], [[[[1, 2]]], [[[3, 4]]]]],
        ["bn.num_batches_tracked", "torch.int64", [], 2 ** 40],
        ["half", "torch.float16", [2], [0.5, -2]],
        ["brain", "torch.bfloat16", [1], [1.5]],
        ["mask", "torch.bool", [2], [true, false]],
        ["empty", "torch.float64", [0, 3], []],
      ],
      ["1180591620717411303424", [1.5, "é", null]],
    ]);
  },
});

Deno.test({
  name: "readTorchFile() reads what torch.save wrote, views and Python values",
  ignore: !PYTHON_WITH_TORCH,
  async fn() {
    using folder = temporaryFolder();
    const path = join(folder.path, "t.pth");
    for (const legacy of ["True", "False"]) {
      await runPython(
        `
import sys, torch
x = torch.arange(60.).reshape(3, 4, 5)
torch.save({"v": x.permute(2, 0, 1)[1:4:2], "s": {1, 2}, "d": torch.float32,
  "dev": torch.device("cuda:1"), "size": x.shape, "n": {str(i): x[0, 0] for i in range(9000)}},
  sys.argv[1], _use_new_zipfile_serialization=not ${legacy})`,
        path,
      );
      const value = asMap((await readTorchFile(path)).value);
      const view = asTensor(value.get("v"));
      assertEquals(view.shape, [2, 3, 4]);
      const wanted = [1, 3].flatMap((k) => [...Array(12).keys()].map((ij) => 5 * ij + k));
      assertEquals([...view.data], wanted);
      assertEquals(value.get("s"), new Set([1, 2]));
      assertEquals([value.get("dev"), value.get("size")], ["cuda:1", [3, 4, 5]]);
      assert(asMap(value.get("n")).size === 9000);
    }
  },
});
