import { assertEquals } from "@std/assert";
import {
  addProducts,
  paddedRows,
  transposeInto,
} from "../../../../src/backends/reference/kernels/matmul.ts";
import { Rng } from "../../../../src/random.ts";

Deno.test("addProducts() adds the plain sum of products", () => {
  const rng = new Rng(1);
  for (const [rows, columns, depth] of [[3, 3, 1], [6, 3, 5], [3, 9, 4], [12, 6, 17]]) {
    const random = (length: number) => Float64Array.from({ length }, () => rng.integer(9) - 4);
    const a = random(rows * depth), b = random(columns * depth), c = random(rows * columns);
    const expected = c.map((value, at) => {
      const i = Math.floor(at / columns), j = at % columns;
      for (let k = 0; k < depth; k++) value += a[i * depth + k] * b[j * depth + k];
      return value;
    });
    addProducts(c, a, b, { rows, columns, depth });
    assertEquals(c, expected);
  }
});

Deno.test("paddedRows() is the next multiple of the block", () => {
  assertEquals([0, 1, 3, 4, 256].map(paddedRows), [0, 3, 3, 6, 258]);
});

Deno.test("transposeInto() swaps rows and columns", () => {
  const out = new Float64Array(6);
  transposeInto(out, [1, 2, 3, 4, 5, 6], { rows: 2, columns: 3 });
  assertEquals([...out], [1, 4, 2, 5, 3, 6]);
});
