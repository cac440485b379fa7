/** Rows and columns of a product that {@linkcode addProducts} holds in registers at once. */
const BLOCK = 3;

/** The next multiple of the block size: how many rows a factor of {@linkcode addProducts} has. */
export function paddedRows(rows: number): number {
  return Math.ceil(rows / BLOCK) * BLOCK;
}

/**
 * `c[i, j] += Σ_k a[i, k] · b[j, k]`, row-major.
 *
 * Nine sums at a time stay in registers, so that each value loaded is used three times; factors are
 * doubles, because V8 widens every float that it loads.
 *
 * @param c `[rows, columns]`.
 * @param a `[rows, depth]`; `rows` is a result of {@linkcode paddedRows}.
 * @param b `[columns, depth]`; so is `columns`.
 */
export function addProducts(
  c: Float64Array,
  a: Float64Array,
  b: Float64Array,
  { rows, columns, depth }: {
    readonly rows: number;
    readonly columns: number;
    readonly depth: number;
  },
): void {
  for (let j = 0; j < columns; j += 3) {
    const b0 = j * depth, b1 = b0 + depth, b2 = b1 + depth;
    for (let i = 0; i < rows; i += 3) {
      const a0 = i * depth, a1 = a0 + depth, a2 = a1 + depth;
      let c00 = 0, c01 = 0, c02 = 0;
      let c10 = 0, c11 = 0, c12 = 0;
      let c20 = 0, c21 = 0, c22 = 0;
      for (let k = 0; k < depth; k++) {
        const y0 = b[b0 + k], y1 = b[b1 + k], y2 = b[b2 + k];
        const x0 = a[a0 + k];
        c00 += x0 * y0;
        c01 += x0 * y1;
        c02 += x0 * y2;
        const x1 = a[a1 + k];
        c10 += x1 * y0;
        c11 += x1 * y1;
        c12 += x1 * y2;
        const x2 = a[a2 + k];
        c20 += x2 * y0;
        c21 += x2 * y1;
        c22 += x2 * y2;
      }
      const at0 = i * columns + j, at1 = at0 + columns, at2 = at1 + columns;
      c[at0] += c00;
      c[at0 + 1] += c01;
      c[at0 + 2] += c02;
      c[at1] += c10;
      c[at1 + 1] += c11;
      c[at1 + 2] += c12;
      c[at2] += c20;
      c[at2 + 1] += c21;
      c[at2 + 2] += c22;
    }
  }
}

/** Writes the transpose of `a`, `[rows, columns]`, to `out`, `[columns, rows]`. */
export function transposeInto(
  out: Float64Array,
  a: ArrayLike<number>,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): void {
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) out[j * rows + i] = a[i * columns + j];
  }
}
