import { assertEquals } from "@std/assert";
import { EvenSample } from "../../src/view/even_sample.ts";

function keptOf(most: number, count: number): number[] {
  const sample = new EvenSample<number>(most);
  for (let i = 0; i < count; i++) sample.offer(() => i);
  return [...sample.items];
}

Deno.test("EvenSample keeps all of a short stream, and evenly spaced items of a long one", () => {
  assertEquals(keptOf(4, 3), [0, 1, 2]);
  assertEquals(keptOf(4, 4), [0, 1, 2, 3]);
  assertEquals(keptOf(4, 5), [0, 2, 4]);
  assertEquals(keptOf(4, 9), [0, 4, 8]);
  assertEquals(keptOf(4, 16), [0, 4, 8, 12]);
});

Deno.test("EvenSample makes only what it keeps", () => {
  const sample = new EvenSample<number>(2);
  let made = 0;
  for (let i = 0; i < 64; i++) sample.offer(() => made++);
  assertEquals([sample.items.length, sample.every], [2, 32]);
  assertEquals(made <= 12, true);
});
