import { assertEquals, assertThrows } from "@std/assert";
import { addressOf, cString, ParameterBlock, toCString } from "../../src/ffi/memory.ts";

Deno.test("toCString() and cString() are inverse", () => {
  const bytes = toCString("größer");
  assertEquals(bytes.at(-1), 0);
  assertEquals(cString(Deno.UnsafePointer.of(bytes)), "größer");
  assertEquals(cString(null), "");
});

Deno.test("addressOf() respects the view's offset; an empty view is NULL", () => {
  const array = new Float32Array(4);
  assertEquals(addressOf(array.subarray(2)) - addressOf(array), 8n);
  assertEquals(addressOf(new Float32Array(0)), 0n);
});

Deno.test("addressOf() takes shared memory", () => {
  assertEquals(addressOf(new Int32Array(new SharedArrayBuffer(8))) > 0n, true);
});

Deno.test("ParameterBlock writes each argument with its C type into its own cell", () => {
  const block = new ParameterBlock(5);
  block.address(2n ** 63n).int32(-2).float32(0.5).float64(0.1).int64(-5);
  const view = new DataView(block.cells.buffer);
  assertEquals(view.getBigUint64(0, true), 2n ** 63n);
  assertEquals(view.getInt32(8, true), -2);
  assertEquals(view.getFloat32(16, true), 0.5);
  assertEquals(view.getFloat64(24, true), 0.1);
  assertEquals(view.getBigInt64(32, true), -5n);
  assertEquals(block.table[1] - block.table[0], 8n);
  assertEquals(block.table[0], addressOf(block.cells));
  assertThrows(() => block.int32(1), RangeError, "raise its capacity");
  assertEquals(block.clear().int32(1).length, 1);
});
