import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { LargeBlocks } from "../../../src/backends/onednn/large_blocks.ts";
import { Rng } from "../../../src/random.ts";

type Advice = [address: bigint, bytes: number];

/** Blocks whose arrays a tensor holds. */
function heldBlocks(advise: (...advice: Advice) => void = () => {}) {
  const blocks = new LargeBlocks(advise);
  const take = (length: number) => {
    const array = blocks.take(length);
    assert(blocks.attach(array));
    return array;
  };
  return { blocks, take };
}

Deno.test("LargeBlocks joins released neighbours into room for a larger block", () => {
  const { blocks, take } = heldBlocks();
  const arrays = [take(1000), take(2000), take(3000), take(100)];
  const [first] = arrays;
  for (const i of [0, 2, 1]) blocks.release(arrays[i]);
  const whole = take(6000);
  assertEquals([whole.buffer === first.buffer, whole.byteOffset], [true, first.byteOffset]);
});

Deno.test("LargeBlocks takes the smallest room that fits, and leaves the rest", () => {
  const { blocks, take } = heldBlocks();
  const [wide, , narrow, last] = [take(8000), take(16), take(4000), take(16)];
  blocks.release(wide);
  blocks.release(narrow);
  assertEquals(take(3200).byteOffset, narrow.byteOffset);
  assertEquals(take(800).byteOffset, narrow.byteOffset + 4 * 3200);
  assertEquals(take(8000).byteOffset, wide.byteOffset);
  assertEquals(blocks.idleBytes, 0);
  blocks.release(last);
  assertEquals(take(5000).byteOffset, last.byteOffset); // and beyond what was ever used
});

Deno.test("LargeBlocks keeps a block until the last of its tensors is gone", () => {
  const { blocks, take } = heldBlocks();
  const whole = take(5000), part = whole.subarray(100, 200);
  blocks.attach(part);
  blocks.release(whole);
  assertNotEquals(take(5000).byteOffset, whole.byteOffset);
  blocks.release(part);
  assertEquals(take(5000).byteOffset, whole.byteOffset);
});

Deno.test("LargeBlocks knows what is not its own", () => {
  const { blocks, take } = heldBlocks();
  take(5000);
  const foreign = new Float32Array(5000);
  assertEquals([blocks.attach(foreign), blocks.release(foreign)], [false, false]);
});

Deno.test("LargeBlocks asks for huge pages once an arena", () => {
  const advised: Advice[] = [];
  const { take } = heldBlocks((...advice) => advised.push(advice));
  for (let i = 0; i < 10; i++) take(1 << 20);
  assertEquals(advised.map(([address, bytes]) => [address % 64n, bytes]), [[0n, 2 ** 28]]);
  const large = take(2 ** 26 + 16); // beyond an arena
  assertEquals([advised.length, large.length], [2, 2 ** 26 + 16]);
});

Deno.test("LargeBlocks never gives two tensors the same memory", () => {
  const { blocks, take } = heldBlocks();
  const rng = new Rng(3), held: { array: Float32Array; mark: number }[] = [];
  for (let mark = 1; mark <= 2000; mark++) {
    if (held.length > 0 && rng.uniform() < 0.48) {
      const [{ array, mark }] = held.splice(rng.integer(held.length), 1);
      assertEquals([array[0], array[array.length - 1]], [mark, mark]);
      blocks.release(array);
    } else {
      const array = take(1 + rng.integer(rng.uniform() < 0.2 ? 40_000 : 3000));
      array[0] = array[array.length - 1] = mark;
      held.push({ array, mark });
    }
  }
  for (const { array, mark } of held) {
    assertEquals([array[0], array[array.length - 1]], [mark, mark]);
    blocks.release(array);
  }
  // All of it is one piece again.
  const idle = blocks.idleBytes;
  take(idle / 4);
  assertEquals(blocks.idleBytes, 0);
});
