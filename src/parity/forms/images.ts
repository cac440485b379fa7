import { z } from "zod";
import type { Corner } from "../../geometry/boxes.ts";
import { cropBoxes } from "../../geometry/context.ts";
import { blurCross } from "../../image/blur.ts";
import { colorOffset, flipBox, flipHorizontal, subtractColor, toGray } from "../../image/color.ts";
import { type Color, meanColor } from "../../image/image.ts";
import { getSubwindow } from "../../image/subwindow.ts";
import { warpCrop } from "../../image/warp.ts";
import { checkNumbers, checkPixels } from "../compare.ts";
import { defineForm, eachCase, type Finding, type GoldenSource, real, reals } from "../form.ts";
import {
  augmentationCase,
  checkAugmentation,
  checkShiftScale,
  shiftScaleCase,
} from "./augmentation.ts";
import { checkVideo, videoCase } from "./video.ts";

const image = z.string();
const output = z.string();

const crop511Case = z.object({
  tag: z.string(),
  image,
  box_x1y1x2y2: reals(),
  padding_bgr: reals(),
  s_z: real(),
  s_x: real(),
  z: z.string(),
  x: z.string(),
});
const roiCase = z.object({ tag: z.string(), image, box: reals(), out_size: real(), output });
const blurCase = z.object({
  image,
  subtract_bgr: reals().nullable(),
  size: real(),
  wx: real(),
  output: output.optional(),
  output_tensor: z.string().optional(),
});
const colorCase = z.object({ image, randn: reals(), offset_bgr: reals(), output_tensor: output });
const grayCase = z.object({ image, output });
const flipCase = z.object({ image, bbox: reals(), output, bbox_out: reals() });
const subwindowCase = z.object({
  tag: z.string(),
  image,
  pos: reals(),
  model_size: real(),
  original_size: real(),
  avg_bgr: reals(),
  output,
});
const jpegCase = z.object({ file: z.string(), decoded: z.string() });

const content = z.object({
  crop511: z.array(crop511Case).optional(),
  crop_roi: z.array(roiCase).optional(),
  blur: z.array(blurCase).optional(),
  color: z.array(colorCase).optional(),
  gray: z.array(grayCase).optional(),
  flip: z.array(flipCase).optional(),
  get_subwindow: z.array(subwindowCase).optional(),
  shift_scale: z.array(shiftScaleCase).optional(),
  augmentation_call: z.array(augmentationCase).optional(),
  jpeg: z.array(jpegCase).optional(),
  video: videoCase.optional(),
});
type Source = GoldenSource<z.infer<typeof content>>;

/** Pixels of a double, and sums of 64-bit numbers in another order. */
const NUMBERS = 1e-9;
/** Float pixels, of 0 to 255. */
const FLOATS = 1e-4;

/** Pictures: crops, augmentation, decoding. */
export const imagesForm = defineForm({
  section: "images",
  content: content.refine((kinds) => Object.keys(kinds).length > 0),
  async *compare(source) {
    yield* crops(source);
    yield* colors(source);
    yield* moves(source);
    yield* decoding(source);
  },
});

const toCorner = ([x1, y1, x2, y2]: readonly number[]): Corner => ({ x1, y1, x2, y2 });
const toColor = ([blue, green, red]: readonly number[]): Color => [blue, green, red];
const channels = ([blue, green, red]: Color) => ({ blue, green, red });

async function* crops({ content, folder, beside }: Source): AsyncGenerator<Finding> {
  const pixels = (name: string) => folder.image(beside(name));
  yield* eachCase(content.crop511, {
    folder,
    name: ({ tag }) => `crop511 ${tag}`,
    needs: ({ image, z, x }) => [image, z, x].map(beside),
    async *compare({ image, box_x1y1x2y2, padding_bgr, s_z, s_x, z, x }, name) {
      const frame = await pixels(image);
      const border = meanColor(frame);
      const boxes = cropBoxes(toCorner(box_x1y1x2y2));
      const sides = { s_z: boxes.exemplarSide, s_x: boxes.searchSide };
      yield checkNumbers(name, { ...channels(border), ...sides }, {
        expected: { ...channels(toColor(padding_bgr)), s_z, s_x },
        tolerance: NUMBERS,
      });
      const exemplar = await pixels(z), search = await pixels(x);
      for (
        const [what, expected, box] of [
          ["z", exemplar, boxes.exemplar],
          ["x", search, boxes.search],
        ] as const
      ) {
        const found = warpCrop(frame, box, { size: expected.width, border });
        yield checkPixels(`${name} ${what}`, found, { expected });
      }
    },
  });
  yield* eachCase(content.crop_roi, {
    folder,
    name: ({ tag }) => `crop_roi ${tag}`,
    needs: ({ image, output }) => [image, output].map(beside),
    compare: async ({ image, box, out_size, output }, name) =>
      checkPixels(name, warpCrop(await pixels(image), toCorner(box), { size: out_size }), {
        expected: await pixels(output),
      }),
  });
  yield* eachCase(content.get_subwindow, {
    folder,
    name: ({ tag }) => `get_subwindow ${tag}`,
    needs: ({ image, output }) => [image, output].map(beside),
    async compare({ image, pos: [cx, cy], original_size, model_size, avg_bgr, output }, name) {
      const window = { cx, cy, side: original_size, size: model_size, border: toColor(avg_bgr) };
      return checkPixels(name, getSubwindow(await pixels(image), window), {
        expected: await pixels(output),
      });
    },
  });
}

async function* colors({ content, folder, path, beside }: Source): AsyncGenerator<Finding> {
  const pixels = (name: string) => folder.image(beside(name));
  const tensorFile = path.replace(/\.json$/, ".safetensors");
  const tensors = folder.has(tensorFile) ? await folder.tensorsBeside(path) : new Map();
  const floats = (name: string) => {
    const { shape: [height, width], data } = tensors.get(name);
    return { width, height, data };
  };
  yield* eachCase(content.color, {
    folder,
    name: ({ output_tensor }) => `colour ${output_tensor}`,
    needs: ({ image }) => [beside(image), tensorFile],
    async *compare({ image, randn: [a, b, c], offset_bgr, output_tensor }, name) {
      const offset = colorOffset([a, b, c]);
      yield checkNumbers(`${name} offset`, channels(offset), {
        expected: channels(toColor(offset_bgr)),
        tolerance: NUMBERS,
      });
      yield checkPixels(name, subtractColor(await pixels(image), offset), {
        expected: floats(output_tensor),
        tolerance: FLOATS,
      });
    },
  });
  yield* eachCase(content.gray, {
    folder,
    name: ({ output }) => `gray ${output}`,
    needs: ({ image, output }) => [image, output].map(beside),
    compare: async ({ image, output }, name) =>
      checkPixels(name, toGray(await pixels(image)), { expected: await pixels(output) }),
  });
  yield* eachCase(content.blur, {
    folder,
    name: ({ output, output_tensor }) => `blur ${output ?? output_tensor}`,
    needs: ({ image, output }) => [beside(image), output ? beside(output) : tensorFile],
    async compare({ image, subtract_bgr, size, wx, output, output_tensor }, name) {
      const options = { size, verticalShare: wx };
      const picture = await pixels(image);
      // 8-bit results are rounded: OpenCV sums in another order, and ties may fall elsewhere.
      if (output) {
        const expected = await pixels(output);
        return checkPixels(name, blurCross(picture, options), { expected, tolerance: 1 });
      }
      const input = subtractColor(picture, toColor(subtract_bgr ?? [0, 0, 0]));
      const expected = floats(output_tensor!);
      return checkPixels(name, blurCross(input, options), { expected, tolerance: FLOATS });
    },
  });
  yield* eachCase(content.augmentation_call, {
    folder,
    name: ({ tag }) => `augmentation_call ${tag}`,
    needs: ({ image }) => [beside(image), tensorFile],
    compare: async (one, name) =>
      checkAugmentation(name, one, {
        crop: await pixels(one.image),
        expected: floats(one.output_tensor),
      }),
  });
}

async function* moves({ content, folder, beside }: Source): AsyncGenerator<Finding> {
  const pixels = (name: string) => folder.image(beside(name));
  yield* eachCase(content.flip, {
    folder,
    name: ({ output }) => `flip ${output}`,
    needs: ({ image, output }) => [image, output].map(beside),
    async *compare({ image, bbox, output, bbox_out }, name) {
      const picture = await pixels(image);
      yield checkPixels(name, flipHorizontal(picture), { expected: await pixels(output) });
      const box = flipBox(toCorner(bbox), picture.width);
      const expected = { ...toCorner(bbox_out) };
      yield checkNumbers(`${name} box`, { ...box }, { expected, tolerance: NUMBERS });
    },
  });
  yield* eachCase(content.shift_scale, {
    folder,
    name: ({ output }) => `shift_scale ${output}`,
    needs: ({ image, output }) => [image, output].map(beside),
    compare: async function* (one, name) {
      const crop = await pixels(one.image);
      yield* checkShiftScale(name, one, { crop, expected: await pixels(one.output) });
    },
  });
}

async function* decoding(source: Source): AsyncGenerator<Finding> {
  const { content, folder, beside } = source;
  const pixels = (name: string) => folder.image(beside(name));
  yield* eachCase(content.jpeg, {
    folder,
    name: ({ file }) => `jpeg ${file}`,
    needs: ({ file, decoded }) => [file, decoded].map(beside),
    compare: async ({ file, decoded }, name) =>
      checkPixels(name, await pixels(file), {
        expected: await pixels(decoded),
        tolerance: 2,
        meanTolerance: 0.3,
      }),
  });
  if (content.video) yield* checkVideo(`video ${content.video.file}`, content.video, source);
}
