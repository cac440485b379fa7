import {
  MaxPool2d,
  MaxPool2dBackward,
  type PoolGeometry,
  poolOutputShape,
} from "../../../ops/max_pool2d.ts";
import type { ReferenceBackend } from "../backend.ts";
import { tapPixels } from "./windows.ts";

export const maxPool2dReference = MaxPool2d.kernel(
  "reference",
  (backend: ReferenceBackend, { x }, geometry) => {
    const y = backend.empty(poolOutputShape(x.shape, geometry));
    const pool = new WindowMaximum(x.shape, geometry);
    const values = backend.floats(x);
    const out = backend.floats(y);
    for (let window = 0; window < pool.count; window++) {
      pool.find(values, window);
      out.set(pool.largest, window * pool.channels);
    }
    return y;
  },
);

export const maxPool2dBackwardReference = MaxPool2dBackward.kernel(
  "reference",
  (backend: ReferenceBackend, { dy, x }, geometry) => {
    const dx = backend.empty(x.shape);
    const pool = new WindowMaximum(x.shape, geometry);
    const values = backend.floats(x);
    const from = backend.floats(dy);
    const to = backend.floats(dx).fill(0);
    const { channels, winner } = pool;
    for (let window = 0; window < pool.count; window++) {
      pool.find(values, window);
      const at = window * channels;
      for (let c = 0; c < channels; c++) if (winner[c] >= 0) to[winner[c]] += from[at + c];
    }
    return dx;
  },
);

/** Finds the maximum of one window at a time, for all channels. */
class WindowMaximum {
  /** Windows in the batch. */
  readonly count: number;
  readonly channels: number;
  /** Largest value of each channel, -Infinity where the window lies in the padding. */
  readonly largest: Float32Array;
  /** Its index in the input, or -1. */
  readonly winner: Int32Array;
  readonly #pixels: number;
  readonly #taps: number;
  readonly #positions: number;
  readonly #tapPixels: Int32Array;

  constructor(shape: readonly number[], geometry: PoolGeometry) {
    const [batch, height, width, channels] = shape;
    const { kernel, stride, padding } = geometry;
    const [, outHeight, outWidth] = poolOutputShape(shape, geometry);
    this.channels = channels;
    this.largest = new Float32Array(channels);
    this.winner = new Int32Array(channels);
    this.#pixels = height * width;
    this.#taps = kernel * kernel;
    this.#positions = outHeight * outWidth;
    this.count = batch * this.#positions;
    this.#tapPixels = tapPixels({
      height,
      width,
      kernelHeight: kernel,
      kernelWidth: kernel,
      outHeight,
      outWidth,
      stride,
      padding,
      dilation: 1,
    });
  }

  find(x: Float32Array, window: number): void {
    const { channels, largest, winner } = this;
    const taps = this.#taps;
    const tapPixels = this.#tapPixels;
    const image = Math.floor(window / this.#positions);
    const tap0 = (window - image * this.#positions) * taps;
    largest.fill(-Infinity);
    winner.fill(-1);
    for (let tap = tap0; tap < tap0 + taps; tap++) {
      if (tapPixels[tap] < 0) continue;
      const at = (image * this.#pixels + tapPixels[tap]) * channels;
      for (let c = 0; c < channels; c++) {
        const value = x[at + c];
        // What is not a number wins and stays, as in PyTorch, so that a fault is not hidden.
        if (value > largest[c] || winner[c] < 0 || value !== value) {
          largest[c] = value;
          winner[c] = at + c;
        }
      }
    }
  }
}
