import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { augment, type Draws, shiftAndScale } from "../../src/data/augment.ts";
import { centerToCorner, type Corner } from "../../src/geometry/boxes.ts";
import { createImage } from "../../src/image/image.ts";
import { warpCrop } from "../../src/image/warp.ts";
import { Rng } from "../../src/random.ts";
import {
  assertSamePixels,
  difference,
  golden,
  goldenImage,
  goldenPath,
  goldenTensor,
  hasTensors,
} from "../image/golden.ts";

type Draw = [kind: string, value: number | number[]];

/** Gives recorded numbers, and fails when they are asked for in another order. */
class RecordedDraws implements Draws {
  readonly #left: [kind: string, value: number][];

  constructor(draws: readonly Draw[]) {
    this.#left = draws.flatMap(([kind, value]) =>
      [value].flat().map((number): [string, number] => [kind, number])
    );
  }

  #next(kind: string): number {
    const [found, value] = this.#left.shift() ?? ["nothing"];
    assertEquals(found, kind);
    return value!;
  }

  uniform = () => this.#next("random");
  normal = () => this.#next("randn");
  integer(count: number): number {
    assertEquals(count, 21);
    return (this.#next("choice_size") - 5) / 2;
  }

  get count(): number {
    return this.#left.length;
  }
}

function corner([x1, y1, x2, y2]: readonly number[]): Corner {
  return { x1, y1, x2, y2 };
}

function assertSameBox(actual: Corner, expected: readonly number[]): void {
  Object.values(actual).forEach((side, i) => assertAlmostEquals(side, expected[i], 1e-10));
}

Deno.test("shiftAndScale() moves window and box as the reference", async () => {
  for (const one of golden.shift_scale) {
    const draws = new RecordedDraws(one.uniform_draws.map((value) => ["random", value]));
    const crop = await goldenImage(one.image);
    const target = { crop, box: corner(one.bbox), window: corner(one.crop_bbox) };
    const { window, box } = shiftAndScale(target, one, draws);
    assertSameBox(box, one.bbox_out);
    assertEquals(draws.count, 0);
    if (!goldenPath(one.output)) continue;
    assertSamePixels(warpCrop(crop, window, one), await goldenImage(one.output), one.output);
  }
});

for (const one of golden.augmentation_call) {
  Deno.test(`augment() draws in the reference's order and moves the box, ${one.tag}`, async () => {
    const draws = new RecordedDraws(one.draws as Draw[]);
    const crop = await goldenImage(one.image);
    const { box, image } = augment(crop, corner(one.bbox), { ...one, settings: one, draws });
    assertSameBox(box, one.bbox_out);
    assertEquals(draws.count, 0);
    if (!hasTensors) return;
    const [most] = difference(image.data, goldenTensor(one.output_tensor));
    assert(most < 1e-4, `pixels differ by ${most}`);
  });
}

Deno.test("augment() keeps the box on its object", () => {
  const crop = createImage(511, 511);
  const box = centerToCorner({ cx: 255, cy: 255, w: 60, h: 40 });
  for (let y = box.y1; y <= box.y2; y++) {
    for (let x = box.x1; x <= box.x2; x++) {
      crop.data.fill(255, 3 * (511 * y + x), 3 * (511 * y + x) + 3);
    }
  }
  const settings = { shift: 64, scale: 0.18, blur: 0, flip: 0.5, color: 0 };
  for (let seed = 0; seed < 40; seed++) {
    const seen = augment(crop, box, { size: 255, settings, draws: new Rng(seed) });
    let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
    for (let i = 0; i < 255 * 255; i++) {
      if (seen.image.data[3 * i] < 128) continue;
      const x = i % 255, y = Math.floor(i / 255);
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
    [left, top, right, bottom].forEach((side, i) =>
      assertAlmostEquals(side, Object.values(seen.box)[i], 1.6)
    );
  }
});
