import { assertEquals } from "@std/assert";
import { targetFor } from "../../../src/backends/cuda/program.ts";

const KNOWN = [75, 80, 86, 89, 90, 100, 120];

for (
  const [card, target] of [
    [90, "sm_90"],
    [75, "sm_75"],
    [103, "compute_100"], // between two kinds
    [130, "compute_120"], // newer than the compiler
    [61, undefined], // older than it
  ] as const
) {
  Deno.test(`targetFor() a card of kind ${card} is ${target ?? "nothing"}`, () => {
    assertEquals(targetFor(card, KNOWN), target);
  });
}
