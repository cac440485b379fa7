import { createImage, type Image } from "../../image/image.ts";
import type { Rng } from "../../random.ts";
import { hsvToBgr } from "./sprite.ts";

const OCTAVES = [64, 24, 8] as const;

/**
 * A dull cloud: three octaves of smooth noise (value noise) between two shades of little colour.
 *
 * @param options.tone Hue of both shades, in turns.
 */
export function makeBackground(
  { width, height, tone }: { width: number; height: number; tone: number },
  rng: Rng,
): Image {
  const dark = hsvToBgr(tone, 0.25, 0.2 + 0.15 * rng.uniform());
  const light = hsvToBgr(tone + 0.1, 0.2, 0.55 + 0.25 * rng.uniform());
  const cloud = new Float32Array(width * height);
  OCTAVES.forEach((cell, i) => addNoise(cloud, { width, cell, weight: 2 ** -i / 1.75 }, rng));
  const image = createImage(width, height);
  cloud.forEach((value, i) => {
    for (let c = 0; c < 3; c++) image.data[3 * i + c] = dark[c] + value * (light[c] - dark[c]);
  });
  return image;
}

/** Adds random values on a grid of `cell` pixels, joined bilinearly. */
function addNoise(
  cloud: Float32Array,
  { width, cell, weight }: { width: number; cell: number; weight: number },
  rng: Rng,
): void {
  const height = cloud.length / width;
  const columns = Math.ceil(width / cell) + 1, rows = Math.ceil(height / cell) + 1;
  const grid = Float32Array.from({ length: columns * rows }, () => rng.word() / 2 ** 32);
  for (let y = 0, i = 0; y < height; y++) {
    const row = Math.floor(y / cell), fy = y / cell - row;
    for (let x = 0; x < width; x++, i++) {
      const column = Math.floor(x / cell), fx = x / cell - column;
      const at = row * columns + column;
      const top = grid[at] + fx * (grid[at + 1] - grid[at]);
      const bottom = grid[at + columns] + fx * (grid[at + columns + 1] - grid[at + columns]);
      cloud[i] += weight * (top + fy * (bottom - top));
    }
  }
}
