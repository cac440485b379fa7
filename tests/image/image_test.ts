import { assertEquals } from "@std/assert";
import { createImage, meanColor, toFloatImage } from "../../src/image/image.ts";

Deno.test("createImage() is black; toFloatImage() keeps values", () => {
  const image = createImage(2, 1);
  image.data.set([1, 2, 3, 250, 251, 255]);
  assertEquals([...toFloatImage(image).data], [1, 2, 3, 250, 251, 255]);
  assertEquals([...createImage(2, 1).data], [0, 0, 0, 0, 0, 0]);
});

Deno.test("meanColor() averages each channel", () => {
  const data = Uint8Array.of(1, 2, 3, 2, 4, 255);
  assertEquals(meanColor({ width: 2, height: 1, data }), [1.5, 3, 129]);
});
