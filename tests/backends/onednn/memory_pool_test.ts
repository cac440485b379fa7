import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals } from "@std/assert";
import { MemoryPool } from "../../../src/backends/onednn/memory_pool.ts";

/** Takes an array that a tensor holds. */
function takeHeld(pool: MemoryPool, length: number): Float32Array {
  const array = pool.take(length);
  pool.attach(array);
  return array;
}

Deno.test("MemoryPool gives released memory again, for any length of its size class", () => {
  const pool = new MemoryPool();
  const first = takeHeld(pool, 5000);
  pool.release(first);
  const second = takeHeld(pool, 4990);
  assertStrictEquals(second.buffer, first.buffer);
  assertEquals(second.length, 4990);
  assertEquals(pool.idleBytes, 0);
  assertNotStrictEquals(takeHeld(pool, 5000).buffer, first.buffer);
});

Deno.test("MemoryPool never takes memory that it did not give", () => {
  const pool = new MemoryPool();
  const foreign = new Float32Array(5000);
  pool.attach(foreign);
  pool.release(foreign);
  assertEquals(pool.idleBytes, 0);
});

Deno.test("MemoryPool leaves memory that two tensors see to the collector", () => {
  const pool = new MemoryPool();
  const whole = takeHeld(pool, 5000);
  const part = whole.subarray(100, 200);
  pool.attach(part);
  pool.release(whole);
  pool.release(part);
  assertEquals(pool.idleBytes, 0);
  assertNotStrictEquals(pool.take(5000).buffer, whole.buffer);
});

Deno.test("MemoryPool aligns what it gives, scratch memory too", () => {
  const pool = new MemoryPool();
  for (const length of [1024, 5000, 100_000, 1 << 20]) {
    for (const array of [pool.take(length), pool.take(length), pool.scratch(length)]) {
      const address = Deno.UnsafePointer.value(Deno.UnsafePointer.of(array));
      assertEquals(address % 64n, 0n, `${length} at ${array.byteOffset}`);
      assertEquals(array.length, length);
    }
  }
});

Deno.test("MemoryPool lets go of what nobody takes for long", () => {
  const pool = new MemoryPool();
  pool.release(takeHeld(pool, 60_000));
  for (let i = 0; i < 20_000; i++) pool.release(takeHeld(pool, 2048));
  assert(pool.idleBytes > 0 && pool.idleBytes < 60_000, `${pool.idleBytes} bytes are idle`);
});

Deno.test("MemoryPool counts idle large blocks as well as small ones", () => {
  const pool = new MemoryPool();
  const [small, large] = [takeHeld(pool, 5000), takeHeld(pool, 1 << 20)];
  assertEquals(pool.idleBytes, 0);
  pool.release(large);
  assertEquals(pool.idleBytes, 4 << 20);
  pool.release(small);
  assert(pool.idleBytes > 4 << 20);
});
