import { z } from "zod";
import { checkEqual, type Deviation, worstOf } from "../check.ts";
import { differenceOf } from "../compare.ts";
import { defineForm, real, reals, worstIfAny } from "../form.ts";
import { fnv1a, formulaImage, formulaPixels, formulaTensor, mixer, uniform } from "../formula.ts";

const integers = z.record(z.string(), real());
const sequences = z.record(z.string(), reals());
const tensorCase = z.object({
  name: z.string(),
  shape: reals(),
  gain: real(),
  dtype: z.string(),
  bn_sibling: z.boolean().nullable(),
  first: reals().optional(),
  last: real(),
  sum_f64: real().optional(),
});
const imageCase = z.object({
  name: z.string(),
  shape: z.tuple([real(), real(), real(), real()]),
  first: reals(),
  idx: reals(),
  val: reals(),
});
const sampleIndexes = z.object({ label: z.string(), numel: real(), k: real(), idx: reals() });

/** Test vectors of the formula for weights and images, bit for bit. */
export const formulaForm = defineForm({
  section: "formula",
  content: z.object({
    seed: real(),
    fnv1a: integers,
    start: integers.optional(),
    mix: sequences,
    mix_index: reals(),
    u: sequences.default({}),
    tensors: z.array(tensorCase).default([]),
    images: z.array(imageCase).default([]),
    image_u8: z.object({ name: z.string(), h: real(), w: real(), first12: reals(), sum: real() })
      .optional(),
    sample_idx: sampleIndexes.optional(),
  }),
  *compare({ content }) {
    const { seed, start, mix, mix_index, u } = content;
    const exact = (item: string, found: readonly number[], expected: readonly number[]) => {
      return { item, error: differenceOf(found, expected).most, tolerance: 0 };
    };
    const entries = Object.entries;
    yield worstOf("fnv1a", entries(content.fnv1a).map(([k, v]) => exact(k, [fnv1a(k)], [v])));
    if (start) {
      const startOf = (name: string) => (fnv1a(name) ^ seed) >>> 0;
      yield worstOf("start", entries(start).map(([k, v]) => exact(k, [startOf(k)], [v])));
    }
    yield worstOf("mix", entries(mix).map(([k, v]) => exact(k, mix_index.map(mixer(k, seed)), v)));
    yield* worstIfAny(
      "u",
      entries(u).map(([k, v]) => exact(k, v.map((_, i) => uniform(k, seed)(i)), v)),
    );
    yield* worstIfAny("tensors", content.tensors.flatMap((one) => tensorDeviations(one, seed)));
    yield* worstIfAny("images", content.images.map((one) => imageDeviation(one, seed)));
    const { image_u8, sample_idx } = content;
    if (image_u8) {
      const { name, h: height, w: width, first12, sum } = image_u8;
      const pixels = formulaPixels(name, { height, width, seed });
      const total = pixels.reduce((all, pixel) => all + pixel, 0);
      yield worstOf("image_u8", [exact(name, [...pixels.slice(0, 12), total], [...first12, sum])]);
    }
    if (sample_idx) {
      const { label, numel, k, idx } = sample_idx;
      const mix = mixer(label, seed);
      const found = Array.from({ length: k }, (_, i) => mix(i) % numel);
      yield checkEqual("sample_idx", found.map(String), idx.map(String));
    }
  },
});

function tensorDeviations(
  { name, shape, gain, dtype, bn_sibling, first = [], last, sum_f64 }: z.infer<typeof tensorCase>,
  seed: number,
): Deviation[] {
  const tensor = formulaTensor({ name, shape, gain, seed, normed: bn_sibling === true });
  const values = Array.from<number | bigint, number>(tensor.data as ArrayLike<number>, Number);
  const found = [...values.slice(0, first.length), values.at(-1)!];
  const { most } = differenceOf(found, [...first, last]);
  const sum = values.reduce((total, value) => total + value, 0);
  const sumError = sum_f64 === undefined ? 0 : Math.abs(sum - sum_f64);
  return [
    { item: name, error: tensor.dtype === dtype ? most : Infinity, tolerance: 0 },
    // Summed in another order.
    { item: `${name} sum`, error: sumError, tolerance: 1e-9 * values.length },
  ];
}

function imageDeviation(
  { name, shape, first, idx, val }: z.infer<typeof imageCase>,
  seed: number,
): Deviation {
  const [batch, channels, height, width] = shape;
  const image = formulaImage(name, { batch, height, width, seed });
  // Indexes count in the order of the file, [batch, channels, height, width].
  const at = (i: number) => {
    const x = i % width, y = Math.floor(i / width) % height;
    const plane = Math.floor(i / (width * height));
    const n = Math.floor(plane / channels), channel = plane % channels;
    return image[((n * height + y) * width + x) * channels + channel];
  };
  const { most } = differenceOf([...first.map((_, i) => at(i)), ...idx.map(at)], [
    ...first,
    ...val,
  ]);
  return { item: name, error: most, tolerance: 0 };
}
