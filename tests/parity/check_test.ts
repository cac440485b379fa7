import { assertEquals } from "@std/assert";
import { check, checkEqual, worstOf } from "../../src/parity/check.ts";

Deno.test("check() does not let NaN pass", () => {
  assertEquals(check("a", { error: NaN, tolerance: 1 }).passed, false);
  assertEquals(check("a", { error: 1, tolerance: 1 }).passed, true);
});

Deno.test("worstOf() fails if any item does, and names the one furthest beyond its tolerance", () => {
  const { passed, error, detail } = worstOf("a", [
    { item: "large but allowed", error: 5, tolerance: 10 },
    { item: "small but wrong", error: 2e-3, tolerance: 1e-3 },
    { item: "exact", error: 0, tolerance: 0 },
  ]);
  assertEquals({ passed, error, detail }, {
    passed: false,
    error: 2e-3,
    detail: "worst of 3, 1 failed: small but wrong",
  });
  assertEquals(worstOf("a", [{ item: "b", error: NaN, tolerance: 1 }]).passed, false);
});

Deno.test("checkEqual() tells the first place that differs", () => {
  assertEquals(checkEqual("a", ["x", "y"], ["x", "z", "w"]), {
    name: "a",
    error: 2,
    tolerance: 0,
    passed: false,
    detail: "at 1: found y, expected z",
  });
});
