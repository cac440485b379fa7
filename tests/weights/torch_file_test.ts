import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { bytesOf, type StateDict } from "../../src/weights/host_tensor.ts";
import type { OrderedDict, PythonValue } from "../../src/weights/python_value.ts";
import { readSafetensors } from "../../src/weights/safetensors.ts";
import { readTorchFile } from "../../src/weights/torch_file.ts";
import { WeightsFileError } from "../../src/weights/weights_file_error.ts";
import { zipChunks } from "../../src/weights/zip_writer.ts";
import {
  asMap,
  asTensor,
  CHECKPOINTS,
  exists,
  joinBytes,
  readJson,
  REAL_WEIGHTS,
  weightsIn,
} from "./fixtures.ts";

const expectations = readJson(CHECKPOINTS, "expected.json");
const hostile = readJson(CHECKPOINTS, "hostile", "expected.json");

for (const name of weightsIn(CHECKPOINTS)) {
  Deno.test(`readTorchFile() reads ${name} as PyTorch does`, async () => {
    const expected = expectations[name];
    const { tensors } = await readSafetensors(join(CHECKPOINTS, expected.tensors));
    const file = await readTorchFile(join(CHECKPOINTS, name));
    assertEquals(file.format, expected.format);
    assertEquals(file.names, expected.globals);
    assertSame(file.value, expected.tree, tensors);
    if (expected.metadata) {
      assertSame((file.value as OrderedDict).metadata!, expected.metadata, tensors);
    }
  });

  Deno.test(`readTorchFile() reads the bytes of ${name} as the file`, async () => {
    const expected = expectations[name];
    const { tensors } = await readSafetensors(join(CHECKPOINTS, expected.tensors));
    const file = await readTorchFile(await Deno.readFile(join(CHECKPOINTS, name)));
    assertSame(file.value, expected.tree, tensors);
  });
}

/** Compares a value with its description: see section 6 of the golden files' README. */
// deno-lint-ignore no-explicit-any
function assertSame(value: PythonValue, expected: any, tensors: StateDict): void {
  if (typeof expected !== "object" || expected === null) return assertEquals(value, expected);
  if ("$tensor" in expected) return assertSameTensor(value, expected, tensors);
  if ("$numpy" in expected) return assertEquals(value, expected.value);
  if ("$bigint" in expected) return assertEquals(value, BigInt(expected.$bigint));
  if ("$bytes" in expected) return assertEquals(value, new Uint8Array(expected.$bytes));
  const items = expected.$tuple ?? expected;
  if (Array.isArray(items)) {
    if (!Array.isArray(value)) throw new Error("not a list");
    assertEquals(Object.isFrozen(value), "$tuple" in expected);
    assertEquals(value.length, items.length);
    return items.forEach((item, i) => assertSame(value[i], item, tensors));
  }
  const dict = asMap(value);
  const entries: [PythonValue, unknown][] = expected.$dict ?? Object.entries(expected);
  const keys = entries.map(([key]) => key);
  // The description is a JavaScript object, which puts keys that look like integers first.
  const isOrdered = expected.$dict || !keys.some((key) => /^\d+$/.test(`${key}`));
  assertEquals(
    isOrdered ? [...dict.keys()] : [...dict.keys()].sort(),
    isOrdered ? keys : keys.sort(),
  );
  for (const [key, item] of entries) assertSame(dict.get(key) ?? null, item, tensors);
}

// deno-lint-ignore no-explicit-any
function assertSameTensor(value: PythonValue, expected: any, tensors: StateDict): void {
  const tensor = asTensor(value);
  const { dtype, shape, layout, isParameter, requiresGrad } = tensor;
  assertEquals(
    { dtype, shape, stride: layout.strides, storage_offset: layout.offset },
    {
      dtype: expected.dtype,
      shape: expected.shape,
      stride: expected.stride,
      storage_offset: expected.storage_offset,
    },
  );
  assertEquals([isParameter, requiresGrad], [expected.parameter, expected.requires_grad]);
  const content = tensors.get(expected.$tensor)!;
  assertEquals(content.shape, shape);
  assertEquals(bytesOf(tensor), bytesOf(content));
}

for (const name of weightsIn(join(CHECKPOINTS, "hostile"))) {
  const { must, why } = hostile[name];
  Deno.test(`readTorchFile() on ${name}: must ${must} (${why})`, async () => {
    const before = Deno.memoryUsage().rss;
    const start = performance.now();
    const outcome = await readTorchFile(join(CHECKPOINTS, "hostile", name)).catch((cause) => cause);
    assert(performance.now() - start < 2000, "took more than 2 s");
    assert(Deno.memoryUsage().rss - before < 64e6, "took more than 64 MB");
    if (outcome instanceof Error) assertInstanceOf(outcome, WeightsFileError, outcome.stack);
    if (!must.includes("load")) assertInstanceOf(outcome, WeightsFileError);
    if (!must.includes("error")) assert(!(outcome instanceof Error), String(outcome));
    assertEquals("polluted" in {}, false);
    assertEquals(exists("SIAMBAN_PWNED_MARKER"), false);
  });
}

Deno.test("readTorchFile() reads the hand-made control file", async () => {
  const { value } = await readTorchFile(join(CHECKPOINTS, "hostile", "control_valid.pth"));
  const { dtype, shape, data } = asTensor(asMap(value).get("w"));
  assertEquals({ dtype, shape, data: [...data] }, {
    dtype: "float32",
    shape: [2, 2],
    data: [1, 2, 3, 4],
  });
});

Deno.test("readTorchFile() keeps __proto__ as an ordinary key", async () => {
  const { value } = await readTorchFile(join(CHECKPOINTS, "hostile", "proto_pollution.pth"));
  assertEquals(value, new Map([["__proto__", new Map([["polluted", 1]])]]));
});

for (const name of weightsIn(REAL_WEIGHTS)) {
  Deno.test(`readTorchFile() reads the published ${name}`, async () => {
    const { value } = await readTorchFile(join(REAL_WEIGHTS, name));
    const weights = asMap(asMap(value).get("state_dict"));
    assert(weights.size > 100);
    for (const [key, tensor] of weights) {
      const { dtype, data } = asTensor(tensor);
      assert(dtype !== "float32" || Array.from(data, Number).every(Number.isFinite), String(key));
    }
  });
}

for (
  const [what, text, remedy] of [
    ["a web page", "<!DOCTYPE html><html>", "it is a web page"],
    ["a Git LFS pointer", "version https://git-lfs.github.com/spec/v1\n", "git lfs pull"],
    ["an old tar file", `${"\0".repeat(257)}ustar`, "PyTorch before 0.1.10"],
    ["a plain pickle", "\x80\x02}.", "not one that torch.save writes"],
  ]
) {
  Deno.test(`readTorchFile() says what to do about ${what}`, async () => {
    const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
    await assertRejects(() => readTorchFile(bytes), WeightsFileError, remedy);
  });
}

Deno.test("readTorchFile() reports an absent file as such", async () => {
  await assertRejects(() => readTorchFile("no/such/file.pth"), Deno.errors.NotFound);
});

/** The pickle of one tensor over storage 0, from its size, shape and strides. */
function tensorPickle(length: string, shape: string, strides: string): string {
  return "\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" +
    `(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpu${length}tQ` +
    `K\0(${shape}t(${strides}t\x89ccollections\nOrderedDict\n)RtR.`;
}

function archiveOf(pickle: string, storage: Uint8Array, extra: Record<string, string> = {}) {
  const bytes = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));
  return joinBytes(zipChunks([
    { name: "archive/data.pkl", bytes: bytes(pickle) },
    { name: "archive/data/0", bytes: storage },
    ...Object.entries(extra).map(([name, text]) => ({ name, bytes: bytes(text) })),
  ]));
}

Deno.test("readTorchFile() refuses a small file whose tensor expands beyond its size", async () => {
  const million = "J\x40\x42\x0f\0";
  const file = archiveOf(tensorPickle("K\x01", million + "K\x0a", "K\0K\0"), new Uint8Array(4));
  await assertRejects(
    () => readTorchFile(file),
    WeightsFileError,
    "need 40000004 bytes of memory",
  );
  const { value } = await readTorchFile(file, { maxBytes: 5e7 });
  assertEquals(asTensor(value).data.length, 1e7);
});

Deno.test("readTorchFile() swaps the bytes of a big-endian archive", async () => {
  const storage = new Uint8Array(4);
  new DataView(storage.buffer).setFloat32(0, 1.5, false);
  const file = archiveOf(tensorPickle("K\x01", "K\x01", "K\x01"), storage, {
    "archive/byteorder": "big",
  });
  const { value } = await readTorchFile(file);
  assertEquals([...asTensor(value).data], [1.5]);
});

Deno.test("readTorchFile() detects a flipped bit in a storage", async () => {
  const file = archiveOf(tensorPickle("K\x01", "K\x01", "K\x01"), Uint8Array.of(1, 2, 3, 4));
  file[file.findIndex((_, i) => `${file.subarray(i, i + 4)}` === "1,2,3,4")] ^= 1;
  await assertRejects(() => readTorchFile(file), WeightsFileError, "does not match its checksum");
});

Deno.test("readTorchFile() tells a TorchScript program from weights", async () => {
  const file = archiveOf("\x80\x02}.", new Uint8Array(), { "archive/constants.pkl": "" });
  await assertRejects(() => readTorchFile(file), WeightsFileError, "TorchScript");
});

/** Numbers from 0 to `n` - 1 that are the same in every run (Numerical Recipes' generator). */
function drawer(seed: number): (n: number) => number {
  let state = seed;
  return (n) => Math.floor((state = (state * 1664525 + 1013904223) >>> 0) / 2 ** 32 * n);
}

for (const name of ["nested_legacy.pth", "train_epoch3_zip.pth", "views_zip.pth"]) {
  Deno.test(`readTorchFile() fails in no other way on 1000 damaged copies of ${name}`, async () => {
    const whole = await Deno.readFile(join(CHECKPOINTS, name));
    const draw = drawer(1);
    const start = performance.now();
    for (let copy = 0; copy < 1000; copy++) {
      const bytes = whole.slice(0, draw(10) === 0 ? draw(whole.byteLength) : whole.byteLength);
      for (let i = draw(4); i >= 0; i--) bytes[draw(bytes.byteLength)] ^= 1 << draw(8);
      const outcome = await readTorchFile(bytes).catch((cause) => cause);
      if (outcome instanceof Error) assertInstanceOf(outcome, WeightsFileError, outcome.stack);
    }
    assert(performance.now() - start < 20_000);
  });
}
