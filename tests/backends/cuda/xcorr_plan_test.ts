import { assert, assertEquals } from "@std/assert";
import { planXcorr, type XcorrPlan } from "../../../src/backends/cuda/xcorr_plan.ts";

Deno.test("planXcorr() keeps within what every card gives a block", () => {
  for (const bytes of [2, 4]) {
    for (let kernel = 1; kernel < 40; kernel += 3) {
      for (let size = 1; size < 90; size += 4) {
        const sizes = { outHeight: size, outWidth: size + 2, kernelHeight: kernel };
        const plan = planXcorr(
          { ...sizes, kernelWidth: kernel, batch: 3, channels: 40, bytes },
          132,
        );
        if (!plan) continue;
        const { tile: [height, width], band, columns, chunk, splits, shared, grid } = plan;
        const tiles = band / height * Math.ceil((size + 2) / width), groups = 128 / (32 / bytes);
        assert(shared <= 48 * 1024);
        assertEquals(width % 2, 1);
        assert(band * grid[1] >= size && (band - height) * grid[1] < size + band);
        assert(columns >= size + 2 + kernel - 1);
        if (splits > 1 || chunk < kernel) assert(tiles * splits <= groups);
      }
    }
  }
});

Deno.test("planXcorr() lets a training batch of SiamBAN lie in shared memory at once", () => {
  const sizes = { batch: 28, channels: 256, bytes: 4 };
  const [forward, byZ] = [
    { kernelHeight: 5, kernelWidth: 5, outHeight: 25, outWidth: 25 },
    { kernelHeight: 25, kernelWidth: 25, outHeight: 5, outWidth: 5 },
  ].map((own) => planXcorr({ ...sizes, ...own }, 132)!);
  assertEquals([forward.tile, forward.band, forward.chunk], [[5, 5], 25, 5]);
  assertEquals(forward.shared, (29 * 29 + 5 * 5) * 32);
  assertEquals([byZ.tile, byZ.chunk, byZ.splits], [[5, 5], 25, 16]);
});

Deno.test("planXcorr() keeps what a warp reads at once in different banks", () => {
  // Forward, gradient by x and gradient by z of 29 x 29 with 5 x 5 and of 31 x 31 with 7 x 7.
  const cases = [[25, 5], [29, 5], [5, 25], [25, 7], [31, 7], [7, 25]];
  for (const [out, kernel] of cases) {
    for (const bytes of [2, 4]) {
      const sizes = { kernelHeight: kernel, kernelWidth: kernel, outHeight: out, outWidth: out };
      const plan = planXcorr({ ...sizes, batch: 28, channels: 256, bytes }, 132)!;
      const worst = Math.max(...conflictsOf(plan, { out, bytes }));
      assert(worst <= 2, `${out} x ${out} outputs of ${bytes} bytes: ${worst} reads of one bank`);
    }
  }
});

/** Most words that each warp reads of one bank at once, at its first tap. */
function conflictsOf(
  { tile: [height, width], band, columns, splits }: XcorrPlan,
  { out, bytes }: { readonly out: number; readonly bytes: number },
): number[] {
  const lanes = 32 / bytes, across = Math.ceil(out / width), tiles = band / height * across;
  return Array.from({ length: Math.ceil(tiles * splits / (32 / lanes)) }, (_, warp) => {
    const banks = Array.from({ length: 32 }, () => new Set<number>());
    for (let thread = 0; thread < 32; thread++) {
      const item = warp * 32 / lanes + Math.floor(thread / lanes);
      if (item >= tiles * splits) continue;
      const at = item % tiles, row = Math.floor(at / across) * height + Math.floor(item / tiles);
      const pixel = row * columns + at % across * width;
      const word = Math.floor((pixel * lanes + thread % lanes) * bytes / 4);
      banks[word % 32].add(word);
    }
    return Math.max(...banks.map((words) => words.size));
  });
}
