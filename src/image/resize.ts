import { roundHalfEven } from "../geometry/rounding.ts";
import { createImage, type Image } from "./image.ts";

/** Weights are in 1/2048. */
const ONE = 2048;

/**
 * Scales a picture bilinearly with half-pixel centres, bit for bit as `cv2.resize` does on 8-bit
 * pixels (no smoothing before shrinking).
 */
export function resizeBilinear(image: Image, width: number, height: number): Image {
  const out = createImage(width, height);
  const columns = weightTable(width, image.width, true);
  const rows = weightTable(height, image.height, false);
  const lines = [new Int32Array(3 * width), new Int32Array(3 * width)];
  const held = [-1, -1]; // the source rows that the two lines hold
  const lineOf = (y: number): Int32Array => {
    const slot = y & 1; // neighbours never share a slot
    if (held[slot] !== y) {
      scaleRow(lines[slot], image.data.subarray(3 * y * image.width), columns, image.width);
      held[slot] = y;
    }
    return lines[slot];
  };
  const last = image.height - 1;
  for (let y = 0; y < height; y++) {
    const upper = Math.max(0, Math.min(last, rows.first[y]));
    const lower = Math.max(0, Math.min(last, rows.first[y] + 1));
    const target = out.data.subarray(3 * y * width, 3 * (y + 1) * width);
    blendLines(target, [lineOf(upper), lineOf(lower)], rows.weight0[y], rows.weight1[y]);
  }
  return out;
}

interface WeightTable {
  readonly first: Int32Array;
  readonly weight0: Int32Array;
  readonly weight1: Int32Array;
}

/** Positions and weights, in the single-precision arithmetic of OpenCV. */
function weightTable(count: number, sourceCount: number, clampWeights: boolean): WeightTable {
  const first = new Int32Array(count);
  const weight0 = new Int32Array(count), weight1 = new Int32Array(count);
  const scale = 1 / (count / sourceCount);
  for (let i = 0; i < count; i++) {
    const position = Math.fround((i + 0.5) * scale - 0.5);
    let index = Math.floor(position);
    let share = Math.fround(position - index);
    // Parity: columns beyond the edge lose the weight, rows only have their index clamped.
    if (clampWeights && (index < 0 || index >= sourceCount - 1)) {
      index = index < 0 ? 0 : sourceCount - 1;
      share = 0;
    }
    first[i] = index;
    weight0[i] = roundHalfEven(Math.fround(Math.fround(1 - share) * ONE));
    weight1[i] = roundHalfEven(Math.fround(share * ONE));
  }
  return { first, weight0, weight1 };
}

function scaleRow(line: Int32Array, row: Uint8Array, columns: WeightTable, width: number): void {
  const { first, weight0, weight1 } = columns;
  for (let x = 0, to = 0; x < first.length; x++, to += 3) {
    const a = 3 * first[x], b = first[x] + 1 < width ? a + 3 : a;
    const w0 = weight0[x], w1 = weight1[x];
    line[to] = w0 * row[a] + w1 * row[b];
    line[to + 1] = w0 * row[a + 1] + w1 * row[b + 1];
    line[to + 2] = w0 * row[a + 2] + w1 * row[b + 2];
  }
}

function blendLines(
  out: Uint8Array,
  [upper, lower]: readonly Int32Array[],
  weight0: number,
  weight1: number,
): void {
  for (let i = 0; i < out.length; i++) {
    // Below 2^31: 2048 * ((255 * 2048) >> 4)
    const a = (weight0 * (upper[i] >> 4)) >> 16, b = (weight1 * (lower[i] >> 4)) >> 16;
    out[i] = (a + b + 2) >> 2;
  }
}
