import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { isAvailable } from "../../src/ffi/library.ts";
import { decodeImage, jpegDecoderName, readImage } from "../../src/image/decode.ts";
import { encodeGif, encodePng } from "../../src/image/encode.ts";
import { turboJpeg } from "../../src/image/turbojpeg.ts";
import { assertSamePixels, difference, golden, goldenImage, goldenPath } from "./golden.ts";

const turbo = isAvailable(turboJpeg);
const bytesOf = (name: string) => Deno.readFileSync(goldenPath(name)!);

for (const { file, decoded } of golden.jpeg) {
  Deno.test({
    name: `decodeImage() of ${file} equals OpenCV's pixels with libjpeg-turbo`,
    ignore: !turbo,
    async fn() {
      const image = await readImage(goldenPath(file)!, { decoder: "libjpeg-turbo" });
      assertSamePixels(image, await goldenImage(decoded));
      assertEquals(image.warning, undefined);
    },
  });

  Deno.test(`decodeImage() of ${file} is within 2 of OpenCV's pixels with imagescript`, async () => {
    const image = await readImage(goldenPath(file)!, { decoder: "imagescript" });
    const [most, mean] = difference(image.data, (await goldenImage(decoded)).data);
    assert(most <= 2 && mean <= 0.3, `most ${most}, mean ${mean}`);
  });
}

Deno.test("jpegDecoderName() names the decoder that is taken", () => {
  assertEquals(jpegDecoderName(), turbo ? "libjpeg-turbo" : "imagescript");
});

Deno.test({
  name: "decodeImage() fills a truncated JPEG and says so",
  ignore: !turbo,
  async fn() {
    const whole = bytesOf("jpeg.q95.jpg");
    const image = await decodeImage(whole.slice(0, whole.length / 2));
    assertEquals([image.width, image.height], [161, 119]);
    assertStringIncludes(image.warning!, "Premature end");
    const upperRows = 3 * 161 * 32;
    const wanted = (await goldenImage("jpeg.q95.decoded.png")).data.subarray(0, upperRows);
    assertEquals(difference(image.data.subarray(0, upperRows), wanted)[0], 0);
  },
});

for (
  const decoder of turbo ? ["libjpeg-turbo", "imagescript"] as const : ["imagescript"] as const
) {
  Deno.test(`decodeImage() names the damaged file with ${decoder}`, async () => {
    const head = bytesOf("jpeg.q95.jpg").slice(0, 60);
    const error = await assertRejects(
      () => decodeImage(head, { path: "damaged.jpg", decoder }),
      SyntaxError,
      'Cannot decode "damaged.jpg"',
    );
    assert(error.cause instanceof Error);
  });
}

Deno.test("decodeImage() refuses what is no picture, and says how it starts", async () => {
  await assertRejects(
    () => decodeImage(new TextEncoder().encode("<html>")),
    SyntaxError,
    "it starts with [3c 68 74 6d]",
  );
  await assertRejects(() => decodeImage(new Uint8Array(0)), SyntaxError, "it is empty");
});

Deno.test("readImage() says which file is missing", async () => {
  await assertRejects(() => readImage("no/such/picture.jpg"), Deno.errors.NotFound);
});

Deno.test("decodeImage() reads PNG, and the first frame of a GIF", async () => {
  const image = { width: 3, height: 2, data: new Uint8Array(18).fill(255, 0, 9) };
  assertSamePixels(await decodeImage(await encodePng(image)), image);
  const gif = await decodeImage(await encodeGif([image, { ...image, data: new Uint8Array(18) }]));
  assertSamePixels(gif, image);
});

Deno.test({
  name: "decodeImage() of four inks gives B, G, R by OpenCV's integer rule",
  ignore: !turbo,
  async fn() {
    const image = await decodeImage(cmykJpeg([200, 100, 50, 128]));
    // k - ((255 - c) k >> 8), inverted inks; the codec itself is exact on this flat picture to 1
    const wanted = [50, 100, 200].map((ink) => 128 - ((255 - ink) * 128 >> 8));
    assertEquals([image.width, image.height], [16, 16]);
    assert(difference(image.data.subarray(0, 3), wanted)[0] <= 1);
  },
});

function cmykJpeg(inks: readonly number[]): Uint8Array<ArrayBuffer> {
  const tj = turboJpeg();
  const pixels = Uint8Array.from({ length: 16 * 16 * 4 }, (_, i) => inks[i % 4]);
  const jpeg = new Uint8Array(10_000), size = BigUint64Array.of(10_000n);
  const address = BigUint64Array.of(Deno.UnsafePointer.value(Deno.UnsafePointer.of(jpeg)));
  const encoder = tj.tjInitCompress();
  const [cmyk, full, quality, noRealloc] = [11, 0, 100, 1024];
  tj.tjCompress2(encoder, pixels, 16, 0, 16, cmyk, address, size, full, quality, noRealloc);
  tj.tjDestroy(encoder);
  return jpeg.slice(0, Number(size[0]));
}

Deno.test("decodeImage() refuses a GIF of a few bytes that asks for gigabytes", async () => {
  const header = [...new TextEncoder().encode("GIF89a")];
  const size = (w: number, h: number) => [w & 255, w >> 8, h & 255, h >> 8];
  const comment = [0x21, 0xfe, 2, 65, 66, 0];
  const picture = (w: number, h: number) => [0x2c, 0, 0, 0, 0, ...size(w, h), 0, 2, 0];
  for (const [screen, first] of [[[50000, 50000], [1, 1]], [[1, 1], [40000, 40000]]]) {
    const [[w, h], [w1, h1]] = [screen, first];
    const bytes = [...header, ...size(w, h), 0, 0, 0, ...comment, ...picture(w1, h1)];
    await assertRejects(
      () => decodeImage(new Uint8Array(bytes)),
      SyntaxError,
      "pixels, expected at most 8388608",
    );
  }
});
