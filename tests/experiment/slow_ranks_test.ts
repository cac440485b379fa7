import { assertEquals } from "@std/assert";
import { SlowRanks } from "../../src/experiment/slow_ranks.ts";

Deno.test("SlowRanks names the ranks for which others wait, once in a while", () => {
  const ranks = new SlowRanks();
  const said = Array.from({ length: 100 }, () => ranks.look([1, 1.1, 2.5]));
  assertEquals(said.filter((text) => text !== undefined), [
    "the other ranks wait for rank 2 (2.50 s): a step of theirs takes 1.10 s",
    "the other ranks wait for rank 2 (2.50 s): a step of theirs takes 1.10 s",
  ]);
  assertEquals(new SlowRanks().look(undefined), undefined);
});

Deno.test("SlowRanks says nothing of ranks that are alike", () => {
  const ranks = new SlowRanks();
  assertEquals(Array.from({ length: 60 }, () => ranks.look([1, 1.4])).every((t) => !t), true);
});
