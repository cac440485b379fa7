import { assertEquals } from "@std/assert";
import { REFERENCE_KERNELS } from "../../../../src/backends/reference/kernels/mod.ts";
import * as ops from "../../../../src/ops/mod.ts";

Deno.test("REFERENCE_KERNELS has a kernel for every op", () => {
  const declared = Object.values(ops)
    .filter((value): value is ops.Op<never, never> =>
      typeof value === "object" && "runAll" in value
    )
    .map(({ name }) => name);
  const kernels = REFERENCE_KERNELS.map(({ kernelName }) => kernelName);
  assertEquals(kernels.toSorted(), declared.toSorted());
});
