import { assertEquals, assertThrows } from "@std/assert";
import { NativeHandle } from "../../src/ffi/handle.ts";

Deno.test("NativeHandle frees its pointer once, and refuses to be used afterwards", () => {
  const freed: bigint[] = [];
  const handle = new NativeHandle((out) => out[0] = 4096n, (address) => freed.push(address));
  assertEquals(Deno.UnsafePointer.value(handle.pointer), 4096n);
  handle[Symbol.dispose]();
  handle[Symbol.dispose]();
  assertEquals(freed, [4096n]);
  assertThrows(() => handle.address, ReferenceError, "disposed");
});

Deno.test("NativeHandle refuses a null pointer", () => {
  assertThrows(() => new NativeHandle(() => {}, () => {}), Error, "returned null");
});
