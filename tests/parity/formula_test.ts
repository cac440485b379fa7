import { assertEquals } from "@std/assert";
import {
  fnv1a,
  formulaImage,
  formulaPixels,
  formulaStateDict,
  formulaTensor,
  mixer,
  uniform,
} from "../../src/parity/formula.ts";
import golden from "../fixtures/parity/formula.json" with { type: "json" };

const { seed } = golden;

Deno.test("fnv1a() and mixer() give the reference's bits", () => {
  for (const [name, hash] of Object.entries(golden.fnv1a)) assertEquals(fnv1a(name), hash, name);
  for (const [name, expected] of Object.entries(golden.mix)) {
    assertEquals(golden.mix_index.map(mixer(name, seed)), expected, name);
  }
  for (const [name, expected] of Object.entries(golden.u)) {
    assertEquals(expected.map((_, i) => uniform(name, seed)(i)), expected, name);
  }
});

Deno.test("formulaTensor() gives the reference's bits for every rule", () => {
  for (const { name, shape, gain, bn_sibling, numel, ...expected } of golden.tensors) {
    const { data, dtype } = formulaTensor({ name, shape, gain, seed, normed: bn_sibling === true });
    assertEquals(dtype, expected.dtype, name);
    assertEquals(data.length, numel, name);
    assertEquals(Number(data[numel - 1]), expected.last, name);
    if (expected.first_bits) {
      const bits = new Uint32Array((data as Float32Array).slice(0, 8).buffer);
      assertEquals([...bits], expected.first_bits, name);
    }
  }
});

Deno.test("formulaStateDict() knows a norm's shift from a bias by the key beside it", () => {
  const weights = formulaStateDict(
    [["a.bias", [8]], ["a.running_mean", [8]], ["b.bias", [8]]],
    { gain: 1, seed },
  );
  const largest = (name: string) =>
    Math.max(...Array.from(weights.get(name)!.data as Float32Array, Math.abs));
  assertEquals([largest("a.bias") > 0.05, largest("b.bias") > 0.05], [true, false]);
});

Deno.test("formulaImage() gives the reference's values, channels last", () => {
  for (const { name, shape: [batch, channels, height, width], idx, val, first } of golden.images) {
    const image = formulaImage(name, { batch, height, width, seed });
    const at = (i: number) => {
      const x = i % width, y = Math.floor(i / width) % height;
      const plane = Math.floor(i / (width * height));
      const n = Math.floor(plane / channels), channel = plane % channels;
      return image[((n * height + y) * width + x) * channels + channel];
    };
    assertEquals(idx.map(at), val, name);
    assertEquals(first.map((_, i) => at(i)), first, name);
  }
});

Deno.test("formulaPixels() gives the reference's bytes", () => {
  const { name, h: height, w: width, first12, sum } = golden.image_u8;
  const pixels = formulaPixels(name, { height, width, seed });
  assertEquals([...pixels.slice(0, 12)], first12);
  assertEquals(pixels.reduce((total, pixel) => total + pixel, 0), sum);
});
