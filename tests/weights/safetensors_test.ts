import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { hostTensor, type StateDict } from "../../src/weights/host_tensor.ts";
import {
  readSafetensors,
  safetensorsChunks,
  writeSafetensors,
} from "../../src/weights/safetensors.ts";
import { WeightsFileError } from "../../src/weights/weights_file_error.ts";
import { CHECKPOINTS, exists, joinBytes, temporaryFolder } from "./fixtures.ts";

const tensors: StateDict = new Map([
  ["odd", hostTensor("uint8", [3], Uint8Array.of(1, 2, 3))],
  ["empty", hostTensor("float32", [0, 4], new Float32Array())],
  ["count", hostTensor("int64", [], BigInt64Array.of(-7n))],
  ["half", hostTensor("float16", [2], Float16Array.of(0.5, NaN))],
  ["weight", hostTensor("float32", [2, 1], Float32Array.of(1.5, -0))],
]);

Deno.test("readSafetensors() reads what writeSafetensors() wrote, in its order", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "w.safetensors");
  await writeSafetensors(path, tensors, { author: "é" });
  const read = await readSafetensors(path);
  assertEquals([...read.tensors], [...tensors]);
  assertEquals(read.metadata, new Map([["author", "é"]]));
});

Deno.test("safetensorsChunks() aligns every tensor to its elements", () => {
  const bytes = joinBytes(safetensorsChunks(tensors));
  const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
  assertEquals(length % 8, 0);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
  assertEquals(header.count.data_offsets, [0, 8]);
  assertEquals(header.weight.data_offsets, [8, 16]);
  assertEquals(header.half.data_offsets, [16, 20]);
});

const foreign = join(CHECKPOINTS, "dtypes.expected.safetensors");
Deno.test({
  name: "readSafetensors() reads every element type of another writer",
  ignore: !exists(foreign),
  async fn() {
    const { tensors } = await readSafetensors(foreign);
    assertEquals(tensors.get("bool")!.dtype, "bool");
    assertEquals(tensors.get("scalar")!.shape, []);
    assertEquals(tensors.size, 14);
  },
});

function fileOf(header: unknown, dataBytes: number): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const bytes = new Uint8Array(8 + json.byteLength + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.byteLength), true);
  bytes.set(json, 8);
  return bytes;
}

function tensorAt(begin: number, end: number, { dtype = "U8", shape = [end - begin] } = {}) {
  return { dtype, shape, data_offsets: [begin, end] };
}

for (
  const [what, bytes, message] of [
    ["an empty file", new Uint8Array(), "no safetensors header"],
    ["a header beyond the file", Uint8Array.of(0xff, 0xff, 0, 0, 0, 0, 0, 0, 1), "announces 65535"],
    ["a header of 2^63 bytes", new Uint8Array(9).fill(0x80), "announces"],
    ["a header that is not JSON", fileOf("{", 0), "is not JSON"],
    ["a header that is a list", fileOf([], 0), "not a JSON object"],
    ["metadata that is not text", fileOf({ __metadata__: { a: 1 } }, 0), "metadata"],
    ["a tensor that is not described", fileOf({ a: 1 }, 0), "not described"],
    ["an unknown type", fileOf({ a: tensorAt(0, 1, { dtype: "F4" }) }, 1), 'has type "F4"'],
    ["a negative size", fileOf({ a: tensorAt(0, 1, { shape: [-1] }) }, 1), "not counts"],
    ["a size that does not fit", fileOf({ a: tensorAt(0, 1, { shape: [2] }) }, 1), "expected 2"],
    ["a reversed range", fileOf({ a: tensorAt(1, 0, { shape: [0] }) }, 1), "has -1 bytes"],
    [
      "an absurd shape",
      fileOf({ a: tensorAt(0, 0, { shape: [...Array(99).fill(2 ** 52), 0] }) }, 0),
      "expected NaN",
    ],
    ["an overlap", fileOf({ a: tensorAt(0, 2), b: tensorAt(1, 3) }, 3), "overlaps"],
    ["a gap", fileOf({ a: tensorAt(0, 1), b: tensorAt(2, 3) }, 3), "leaves a gap"],
    ["bytes after the tensors", fileOf({ a: tensorAt(0, 1) }, 2), "has 2 for them"],
    ["missing bytes", fileOf({ a: tensorAt(0, 9) }, 5), "has 5 for them"],
  ] as const
) {
  Deno.test(`readSafetensors() refuses ${what}`, async () => {
    await assertRejects(() => readSafetensors(bytes), WeightsFileError, message);
  });
}

Deno.test("readSafetensors() keeps __proto__ as an ordinary name", async () => {
  const { tensors } = await readSafetensors(
    fileOf('{"__proto__":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1),
  );
  assertEquals([...tensors.keys()], ["__proto__"]);
});
