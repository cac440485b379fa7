import type { Corner } from "../../geometry/boxes.ts";
import type { Color, Image } from "../../image/image.ts";
import type { Rng } from "../../random.ts";

/** How a drawn object looks: a shape filled with a pattern of two colours. */
export interface Sprite {
  readonly shape: (x: number, y: number) => boolean;
  readonly pattern: (x: number, y: number) => boolean;
  readonly colors: readonly [Color, Color];
}

/** Shapes and patterns take coordinates from -1 to 1 across the box; each shape touches all sides. */
const SHAPES: readonly Sprite["shape"][] = [
  (x, y) => x * x + y * y <= 1,
  () => true,
  (x, y) => Math.abs(x) + Math.abs(y) <= 1.25,
  (x, y) => Math.abs(x) <= 0.45 || Math.abs(y) <= 0.45,
];

const PATTERNS: readonly ((repeats: number) => Sprite["pattern"])[] = [
  (n) => (x) => isOdd(x * n),
  (n) => (_, y) => isOdd(y * n),
  (n) => (x, y) => isOdd(x * n) !== isOdd(y * n),
  (n) => (x, y) => isOdd(Math.hypot(x, y) * n),
  (n) => (x, y) => isOdd((x + y) * n),
];

function isOdd(value: number): boolean {
  return (Math.floor(value) & 1) === 1;
}

/**
 * A strongly coloured object.
 *
 * @param look.hue Hue of its first colour, in turns.
 * @param look.kind Shape and pattern: numbers that follow each other look different.
 */
export function makeSprite({ hue, kind }: { hue: number; kind: number }, rng: Rng): Sprite {
  const accent = rng.uniform() < 0.5
    ? hsvToBgr(hue + 0.06, 0.35, 1) // pale
    : hsvToBgr(hue - 0.04, 0.9, 0.35); // deep
  return {
    shape: SHAPES[kind % SHAPES.length],
    pattern: PATTERNS[kind % PATTERNS.length](1.5 + rng.integer(3)),
    colors: [hsvToBgr(hue, 0.9, 0.95), accent],
  };
}

/** Paints a sprite into a box; parts outside the image are cut off. */
export function drawSprite(image: Image, { shape, pattern, colors }: Sprite, box: Corner): void {
  const { width, height, data } = image;
  const cx = (box.x1 + box.x2) / 2, cy = (box.y1 + box.y2) / 2;
  const halfWidth = (box.x2 - box.x1) / 2, halfHeight = (box.y2 - box.y1) / 2;
  const right = Math.min(width - 1, Math.floor(box.x2));
  const bottom = Math.min(height - 1, Math.floor(box.y2));
  for (let row = Math.max(0, Math.ceil(box.y1)); row <= bottom; row++) {
    const y = (row - cy) / halfHeight;
    for (let column = Math.max(0, Math.ceil(box.x1)); column <= right; column++) {
      const x = (column - cx) / halfWidth;
      if (shape(x, y)) data.set(colors[pattern(x, y) ? 1 : 0], 3 * (row * width + column));
    }
  }
}

/**
 * A colour by hue (in turns, any number), saturation and brightness (0..1).
 *
 * @returns B, G, R, 0..255.
 */
export function hsvToBgr(hue: number, saturation: number, value: number): Color {
  const channel = (n: number) => {
    const k = (n + hue * 6) % 6, j = (k + 6) % 6;
    return 255 * value * (1 - saturation * Math.max(0, Math.min(j, 4 - j, 1)));
  };
  return [channel(1), channel(3), channel(5)];
}
