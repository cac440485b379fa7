import { assertEquals } from "@std/assert";
import { tapPixels } from "../../../../src/backends/reference/kernels/windows.ts";

Deno.test("tapPixels() names the pixel under each tap and marks the padding", () => {
  const row = {
    height: 1,
    width: 4,
    kernelHeight: 1,
    kernelWidth: 3,
    outHeight: 1,
    outWidth: 2,
    stride: 2,
    padding: 0,
    dilation: 1,
  };
  // Windows 0 1 2 and 2 3 (outside).
  assertEquals([...tapPixels(row)], [0, 1, 2, 2, 3, -1]);
  const dilated = { ...row, outWidth: 1, kernelWidth: 2, dilation: 3 };
  assertEquals([...tapPixels(dilated)], [0, 3]);
  const padded = { ...row, height: 2, kernelHeight: 2, outHeight: 1, outWidth: 1, padding: 1 };
  assertEquals([...tapPixels(padded)], [-1, -1, -1, -1, 0, 1]);
});
