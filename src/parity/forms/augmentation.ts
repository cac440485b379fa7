import { z } from "zod";
import { augment, type Draws, shiftAndScale } from "../../data/augment.ts";
import type { Corner } from "../../geometry/boxes.ts";
import type { Image } from "../../image/image.ts";
import { warpCrop } from "../../image/warp.ts";
import { type Check, worstOf } from "../check.ts";
import { checkNumbers, checkPixels, differenceOf } from "../compare.ts";
import { real, reals } from "../form.ts";

/** Pixels of a box. */
const BOX = 1e-9;

/** A prepared crop, and what the reference makes of it. */
interface Pictures<T = Uint8Array> {
  readonly crop: Image;
  readonly expected: Image<T>;
}

/** Shift and scale alone. */
export const shiftScaleCase = z.object({
  image: z.string(),
  size: real(),
  shift: real(),
  scale: real(),
  uniform_draws: reals(),
  bbox: reals(),
  crop_bbox: reals(),
  output: z.string(),
  bbox_out: reals(),
});

const toCorner = ([x1, y1, x2, y2]: readonly number[]): Corner => ({ x1, y1, x2, y2 });

/** Compares pixels and box. */
export function* checkShiftScale(
  name: string,
  { uniform_draws, shift, scale, bbox, crop_bbox, size, bbox_out }: z.infer<typeof shiftScaleCase>,
  { crop, expected }: Pictures,
): Generator<Check> {
  const draws = [...uniform_draws];
  const { window, box } = shiftAndScale(
    { crop, box: toCorner(bbox), window: toCorner(crop_bbox) },
    { shift, scale },
    { uniform: () => draws.shift() ?? NaN },
  );
  yield checkPixels(name, warpCrop(crop, window, { size }), { expected });
  yield checkNumbers(`${name} box`, { ...box, left: draws.length }, {
    expected: { ...toCorner(bbox_out), left: 0 },
    tolerance: BOX,
  });
}

/** The whole chain, with every number that is drawn, in order. */
export const augmentationCase = z.object({
  tag: z.string(),
  image: z.string(),
  size: real(),
  shift: real(),
  scale: real(),
  blur: real(),
  flip: real(),
  color: real(),
  gray: z.boolean(),
  draws: z.array(z.tuple([z.string(), z.union([real(), reals()])])),
  bbox: reals(),
  bbox_out: reals(),
  output_tensor: z.string(),
  dtype_before_cast: z.string().optional(),
});

type AugmentationCase = z.infer<typeof augmentationCase>;

/** Compares pixels, box and number of draws. */
export function checkAugmentation(
  name: string,
  { draws, bbox, bbox_out, gray, size, dtype_before_cast, ...settings }: AugmentationCase,
  { crop, expected }: Pictures<Float32Array>,
): Check {
  const script = new Script(draws);
  const { image, box } = augment(crop, toCorner(bbox), { size, gray, settings, draws: script });
  const pixels = differenceOf(image.data, expected.data).most;
  const sides = differenceOf(Object.values(box), bbox_out).most;
  return worstOf(name, [
    { item: "pixels", error: pixels, tolerance: dtype_before_cast === "uint8" ? 0 : 1e-4 },
    { item: "box", error: sides, tolerance: BOX },
    { item: "draws that are left", error: script.left, tolerance: 0 },
  ]);
}

/** First size of the reference's list of blurs, and their distance. */
const BLUR_SIZES = { first: 5, step: 2 };

/** Gives the numbers that the reference drew, and refuses to give them in another order. */
class Script implements Draws {
  readonly #draws: AugmentationCase["draws"];
  #normals: number[] = [];

  constructor(draws: AugmentationCase["draws"]) {
    this.#draws = [...draws];
  }

  /** Draws that nobody has asked for. */
  get left(): number {
    return this.#draws.length + this.#normals.length;
  }

  uniform(): number {
    return this.#take("random") as number;
  }

  normal(): number {
    if (this.#normals.length === 0) this.#normals = [...this.#take("randn") as number[]];
    return this.#normals.shift()!;
  }

  integer(): number {
    return (this.#take("choice_size") as number - BLUR_SIZES.first) / BLUR_SIZES.step;
  }

  #take(kind: string): number | number[] {
    const [found, value] = this.#draws.shift() ?? ["nothing", NaN];
    if (found === kind) return value;
    throw new RangeError(`Cannot follow the draws: ${kind} is asked for, ${found} comes next`);
  }
}
