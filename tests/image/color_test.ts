import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { blurCross } from "../../src/image/blur.ts";
import {
  colorOffset,
  flipBox,
  flipHorizontal,
  subtractColor,
  toGray,
} from "../../src/image/color.ts";
import { createImage, type FloatImage, toFloatImage } from "../../src/image/image.ts";
import {
  assertSamePixels,
  casesWith,
  difference,
  golden,
  goldenImage,
  goldenTensor,
  hasTensors,
} from "./golden.ts";

const triple = ([a, b, c]: readonly number[]) => [a, b, c] as const;

Deno.test("colorOffset() equals the reference's offset", () => {
  for (const { randn, offset_bgr } of golden.color) {
    colorOffset(triple(randn) as [number, number, number]).forEach((value, i) =>
      assertAlmostEquals(value, offset_bgr[i], 1e-12)
    );
  }
});

Deno.test({
  name: "subtractColor() equals the reference's _color_aug",
  ignore: !hasTensors,
  async fn() {
    for (const { image, offset_bgr, output_tensor } of golden.color) {
      const { data } = subtractColor(await goldenImage(image), triple(offset_bgr));
      assert(difference(data, goldenTensor(output_tensor))[0] < 1e-4);
    }
  },
});

Deno.test("subtractColor() neither clips nor rounds", () => {
  const { data } = subtractColor(createImage(1, 1), [0.5, -300, 7]);
  assertEquals([...data], [-0.5, 300, -7]);
});

Deno.test("toGray() equals OpenCV, bit for bit", async () => {
  for (const { image, output } of golden.gray) {
    assertSamePixels(toGray(await goldenImage(image)), await goldenImage(output), output);
  }
});

Deno.test("flipHorizontal() and flipBox() equal the reference's _flip_aug", async () => {
  for (const { image, bbox: [x1, y1, x2, y2], output, bbox_out } of golden.flip) {
    const picture = await goldenImage(image);
    assertSamePixels(flipHorizontal(picture), await goldenImage(output));
    assertEquals(Object.values(flipBox({ x1, y1, x2, y2 }, picture.width)), bbox_out);
    assertEquals(flipHorizontal(flipHorizontal(toFloatImage(picture))), toFloatImage(picture));
  }
});

Deno.test("blurCross() of 8-bit pixels equals OpenCV but for ties", async () => {
  const cases = golden.blur.filter(({ input }) => input === "uint8");
  for (const one of casesWith(cases, ({ output }) => [output!])) {
    const options = { size: one.size, verticalShare: one.wx };
    const { data } = blurCross(await goldenImage(one.image), options);
    const [most, mean] = difference(data, (await goldenImage(one.output!)).data);
    assert(most <= 1 && mean < 0.02, `size ${one.size}: most ${most}, mean ${mean}`);
  }
});

Deno.test({
  name: "blurCross() of floating-point pixels equals the reference",
  ignore: !hasTensors,
  async fn() {
    for (const one of golden.blur.filter(({ input }) => input === "float")) {
      const input = subtractColor(await goldenImage(one.image), triple(one.subtract_bgr!));
      const { data } = blurCross(input, { size: one.size, verticalShare: one.wx });
      assert(difference(data, goldenTensor(one.output_tensor!))[0] < 1e-4);
    }
  },
});

Deno.test("blurCross() equals the plain loop, also where the cross is larger than the picture", () => {
  const data = Float32Array.from({ length: 7 * 4 * 3 }, (_, i) => (i * 37) % 101);
  const image = { width: 7, height: 4, data };
  for (const size of [1, 3, 5, 21]) {
    const options = { size, verticalShare: 0.3 };
    const actual = blurCross(image, options).data;
    assert(difference(actual, plainBlur(image, options))[0] < 1e-4, `size ${size}`);
  }
});

function plainBlur(
  { width, height, data }: FloatImage,
  { size, verticalShare }: { size: number; verticalShare: number },
): Float64Array {
  const mirror = (i: number, n: number): number =>
    i < 0 ? mirror(-i, n) : i >= n ? mirror(2 * (n - 1) - i, n) : i;
  const out = new Float64Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const channel = i % 3, x = Math.floor(i / 3) % width, y = Math.floor(i / 3 / width);
    for (let k = -(size - 1) / 2; k <= (size - 1) / 2; k++) {
      const vertical = data[3 * (mirror(y + k, height) * width + x) + channel];
      const horizontal = data[3 * (y * width + mirror(x + k, width)) + channel];
      out[i] += (verticalShare * vertical + (1 - verticalShare) * horizontal) / size;
    }
  }
  return out;
}

Deno.test("blurCross() refuses an even size", () => {
  const options = { size: 4, verticalShare: 0.5 };
  assertThrows(() => blurCross(createImage(2, 2), options), RangeError, "odd");
});
