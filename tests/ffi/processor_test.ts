import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { PROCESSOR_LEVELS, processorFeatures, processorTarget } from "../../src/ffi/processor.ts";

const AVX2_ONLY = ["sse2", "avx", "avx2", "fma"];

Deno.test("processorTarget() takes all that the processor has, unless SIAMBAN_CPU names less", () => {
  const features = AVX2_ONLY;
  assertEquals(processorTarget({ level: undefined, features }).level, "native");
  assertEquals(processorTarget({ level: "avx2", features }).level, "avx2");
  assertEquals(processorTarget({ level: "generic", features }).level, "generic");
});

Deno.test("processorTarget() takes any processor where its features cannot be read", () => {
  const target = processorTarget({ level: undefined, features: [] });
  assertEquals(target.level, "generic");
  assertEquals(target.compileFlags, []);
});

Deno.test("processorTarget() tells processors apart natively, and not at a level that both have", () => {
  const features = [AVX2_ONLY, [...AVX2_ONLY, "avx512f"]];
  const keysAt = (level: string) =>
    features.map((features) => processorTarget({ level, features }).key);
  const [less, more] = keysAt("native");
  assertNotEquals(less, more);
  for (const level of ["avx2", "generic"]) {
    const [one, other] = keysAt(level);
    assertEquals(one, other);
  }
});

Deno.test("processorTarget() refuses a level that the processor lacks, naming what", () => {
  assertThrows(
    () => processorTarget({ level: "avx512", features: AVX2_ONLY }),
    Error,
    "lacks avx512f, avx512bw, avx512dq, avx512vl, set SIAMBAN_CPU to native",
  );
});

Deno.test("processorTarget() refuses an unknown level, naming all", () => {
  assertThrows(
    () => processorTarget({ level: "avx3", features: AVX2_ONLY }),
    Error,
    `SIAMBAN_CPU is "avx3", expected one of ${PROCESSOR_LEVELS.join(", ")}`,
  );
});

Deno.test({
  name: "processorFeatures() reads this processor",
  ignore: Deno.build.os !== "linux" || Deno.build.arch !== "x86_64",
  fn: () => assert(processorFeatures().includes("sse2")),
});
