import { assert, assertEquals, assertRejects } from "@std/assert";
import { GIF } from "imagescript";
import { isAvailable } from "../../src/ffi/library.ts";
import { decodeImage } from "../../src/image/decode.ts";
import { encodeGif, encodeJpeg, encodePng } from "../../src/image/encode.ts";
import { turboJpeg } from "../../src/image/turbojpeg.ts";
import { readVideo } from "../../src/image/video.ts";
import { hasProgram } from "../support/programs.ts";
import { assertSamePixels, difference, goldenImage, sharedPath } from "./golden.ts";

const turbo = isAvailable(turboJpeg);
const video = sharedPath("realdata/bag.avi");

Deno.test({
  name: "encodeJpeg() writes the bytes of cv2.imwrite with libjpeg-turbo",
  ignore: !turbo || video === undefined || !await hasProgram("ffmpeg"),
  async fn() {
    const wanted = await Deno.readFile(sharedPath("realdata/bag/color/00000001.jpg")!);
    for await (const frame of readVideo(video!)) {
      assertEquals(await encodeJpeg(frame, 90), wanted);
      break;
    }
  },
});

for (const encoder of ["libjpeg-turbo", "imagescript"] as const) {
  Deno.test({
    name: `encodeJpeg() writes a JPEG near the picture with ${encoder}`,
    ignore: encoder === "libjpeg-turbo" && !turbo,
    async fn() {
      const image = await goldenImage("patch.png");
      const [fine, coarse] = [
        await encodeJpeg(image, 95, { encoder }),
        await encodeJpeg(image, 30),
      ];
      assert(coarse.length < fine.length);
      const [most, mean] = difference((await decodeImage(fine)).data, image.data);
      assert(most < 40 && mean < 2, `most ${most}, mean ${mean}`);
    },
  });
}

Deno.test("encodePng() keeps every pixel", async () => {
  const image = await goldenImage("noise.png");
  assertSamePixels(await decodeImage(await encodePng(image)), image);
});

Deno.test("encodeGif() writes every frame with its time", async () => {
  const image = await goldenImage("patch.png");
  const gif = await GIF.decode(await encodeGif([image, image, image], 80));
  assertEquals([gif.length, gif.width, gif.height], [3, image.width, image.height]);
  assertEquals(gif.duration, 240);
  await assertRejects(() => encodeGif([]), RangeError, "no frames");
});
