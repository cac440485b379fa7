import { assertEquals, assertThrows } from "@std/assert";
import { meanColor } from "../../src/image/image.ts";
import { NativeCrops } from "../../src/image/native_crops.ts";
import { nativeImageLibrary } from "../../src/image/native_images.ts";
import { warpCrop } from "../../src/image/warp.ts";
import { Rng } from "../../src/random.ts";

const library = await nativeImageLibrary().catch(() => undefined);
const ignore = library === undefined;
const rng = new Rng(3);
const data = Uint8Array.from({ length: 97 * 61 * 3 }, () => rng.integer(256));
const noise = { width: 97, height: 61, data };

Deno.test({
  name: "NativeCrops.warpCrop() gives the pixels of warpCrop() inside, beside and around a picture",
  ignore,
  fn() {
    const native = new NativeCrops(library!);
    const border = [12.5, 200.49, 77.51] as const;
    for (let i = 0; i < 60; i++) {
      const x1 = 300 * rng.uniform() - 150, y1 = 300 * rng.uniform() - 150;
      const side = 3 + 250 * rng.uniform();
      const box = { x1, y1, x2: x1 + side, y2: y1 + side * (i % 2 ? 1 : 0.7) };
      const size = [127, 63, 511][i % 3];
      const options = i % 5 === 0 ? { size } : { size, border };
      assertEquals(native.warpCrop(noise, box, options), warpCrop(noise, box, options));
    }
    const flat = { x1: 3, y1: 3, x2: 3, y2: 9 };
    assertThrows(() => native.warpCrop(noise, flat, { size: 9 }), RangeError, "0 x 6 pixels");
  },
});

Deno.test({
  name: "NativeCrops.meanColor() gives the numbers of meanColor()",
  ignore,
  fn() {
    const native = new NativeCrops(library!);
    assertEquals(native.meanColor(noise), meanColor(noise));
    const large = { width: 500, height: 400, data: new Uint8Array(600000).fill(255) };
    assertEquals(native.meanColor(large), [255, 255, 255]);
  },
});
