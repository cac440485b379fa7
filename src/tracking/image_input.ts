import type { StepInput } from "../backends/mod.ts";
import type { Image } from "../image/image.ts";

/** Images of one size as a batch for a network, `[B, H, W, 3]`: bytes that stand for floats. */
export function imageInput(images: readonly Image[]): StepInput {
  const [{ width, height, data }] = images;
  const shape = [images.length, height, width, 3];
  if (images.length === 1) return { values: data, shape, dtype: "float32" };
  const values = new Uint8Array(data.length * images.length);
  images.forEach((image, i) => values.set(image.data, i * data.length));
  return { values, shape, dtype: "float32" };
}
