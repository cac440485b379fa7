import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import type { Driver } from "../../../src/backends/cuda/bindings/driver.ts";
import { MemoryPool, OutOfMemoryError } from "../../../src/backends/cuda/memory_pool.ts";

/** A driver that only counts bytes. */
class CountingDriver {
  readonly sizes = new Map<bigint, number>();
  #next = 4096n;

  constructor(readonly total: number) {}

  get used(): number {
    return this.sizes.values().reduce((sum, size) => sum + size, 0);
  }

  allocate(bytes: number): bigint | undefined {
    if (this.used + bytes > this.total) return undefined;
    const address = this.#next;
    this.#next += BigInt(bytes);
    this.sizes.set(address, bytes);
    return address;
  }

  free(address: bigint): void {
    assert(this.sizes.delete(address), "freed once");
  }

  memoryInfo() {
    return { free: this.total - this.used, total: this.total };
  }
}

function poolOf(total: number) {
  const driver = new CountingDriver(total);
  return { driver, pool: new MemoryPool(driver as unknown as Driver) };
}

Deno.test("MemoryPool gives released memory out again, and asks the driver no more", () => {
  const { pool } = poolOf(1 << 20);
  const first = pool.take(1000);
  pool.release(first);
  const second = pool.take(1001);
  assertEquals(second.address, first.address);
  assertEquals(pool.statistics().driverAllocations, 1);
  assertEquals(pool.statistics().allocations, 2);
  assert(second.size < 1.2 * 1001 || second.size === 1024);
});

Deno.test("MemoryPool gives idle memory back before it says that there is none", () => {
  const { driver, pool } = poolOf(1 << 20);
  pool.release(pool.take(700_000));
  pool.take(900_000);
  assertEquals(driver.sizes.size, 1);
  assertEquals(pool.statistics().reserved, driver.used);
});

Deno.test("MemoryPool says what was asked, what is held and by what, and a smaller batch", () => {
  const { pool } = poolOf(1 << 20);
  pool.take(500_000, "SiambanConv2d");
  pool.take(100_000, "filters");
  pool.remedy = () => "try training.batchSize 21 instead of 28";
  const error: OutOfMemoryError = assertThrows(
    () => pool.take(600_000, "SiambanBatchNorm"),
    OutOfMemoryError,
  );
  assertStringIncludes(error.message, "0.572 MiB for SiambanBatchNorm");
  assertStringIncludes(error.message, "SiambanConv2d 0.5");
  assertStringIncludes(error.message, "filters 0.1");
  assertStringIncludes(error.message, "training.batchSize 21");
  assertEquals(error.asked, 600_000);
  assertEquals(error.held.map(({ purpose }) => purpose), ["SiambanConv2d", "filters"]);
});

Deno.test("MemoryPool refuses to take a block back twice", () => {
  const { pool } = poolOf(1 << 20);
  const block = pool.take(100);
  pool.release(block);
  assertThrows(() => pool.release(block), Error, "free each block once");
});

Deno.test("MemoryPool keeps a held block out of reuse until nobody holds it", () => {
  const { pool } = poolOf(1 << 20);
  const block = pool.take(100);
  pool.hold(block);
  pool.release(block);
  assert(pool.take(100).address !== block.address);
  pool.unhold(block);
  assertEquals(pool.take(100).address, block.address);
});

Deno.test("MemoryPool gives everything back when it goes", () => {
  const { driver, pool } = poolOf(1 << 20);
  pool.take(100);
  pool.release(pool.take(200));
  pool[Symbol.dispose]();
  assertEquals(driver.used, 0);
});

Deno.test("MemoryPool without reuse takes the very size and gives it back at once", () => {
  const driver = new CountingDriver(1 << 20);
  const pool = new MemoryPool(driver as unknown as Driver, { reuse: false });
  const block = pool.take(1001);
  assertEquals([block.size, driver.used], [1001, 1001]);
  pool.release(block);
  assertEquals([driver.used, pool.statistics().reserved], [0, 0]);
  assertThrows(() => pool.release(block), Error, "free each block once");
});
