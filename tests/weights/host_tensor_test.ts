import { assertEquals, assertThrows } from "@std/assert";
import { hostTensor, isHostTensor, toFloat32 } from "../../src/weights/host_tensor.ts";

Deno.test("hostTensor() refuses another element type or number", () => {
  assertThrows(() => hostTensor("float32", [1], new Int32Array(1)), TypeError, "expected Float32");
  assertThrows(() => hostTensor("float32", [2, 2], new Float32Array(3)), RangeError, "expected 4");
  assertEquals(hostTensor("int64", [], new BigInt64Array(1)).shape, []);
});

Deno.test("isHostTensor() tells a tensor from other objects", () => {
  assertEquals(isHostTensor({ dtype: "float32", shape: [1], data: new Float32Array(1) }), true);
  assertEquals(isHostTensor({ dtype: "toString", shape: [1], data: new Float32Array(1) }), false);
  assertEquals(isHostTensor({ dtype: "float32" }), false);
  assertEquals(isHostTensor(null), false);
});

Deno.test("toFloat32() converts every element type, and copies none that needs no conversion", () => {
  const same = new Float32Array([0.5]);
  assertEquals(toFloat32(hostTensor("float32", [1], same)) === same, true);
  for (
    const tensor of [
      hostTensor("float64", [2], Float64Array.of(-2, 3)),
      hostTensor("float16", [2], Float16Array.of(-2, 3)),
      hostTensor("bfloat16", [2], Uint16Array.of(0xc000, 0x4040)),
      hostTensor("int64", [2], BigInt64Array.of(-2n, 3n)),
      hostTensor("int8", [2], Int8Array.of(-2, 3)),
    ]
  ) assertEquals(toFloat32(tensor), Float32Array.of(-2, 3), tensor.dtype);
});
