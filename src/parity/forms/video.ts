import { z } from "zod";
import { join, parse } from "@std/path";
import { readImage } from "../../image/decode.ts";
import { meanColor } from "../../image/image.ts";
import { readVideo, videoInfo } from "../../image/video.ts";
import { type Deviation, worstOf } from "../check.ts";
import { differenceOf } from "../compare.ts";
import { defineForm, type Finding, type GoldenSource, real, reals } from "../form.ts";

/** Mean colours of some frames, by frame number. */
const means = z.record(z.string(), reals());

/** A video and what some of its frames look like. */
export const videoCase = z.object({
  file: z.string(),
  frames: real(),
  width: real(),
  height: real(),
  fps: real().optional(),
  mean_bgr: means,
});

/** A mean of some 10^5 pixels, in another order. */
const TOLERANCE = 1e-6;
/** Decoders differ by so much on average. */
const JPEG_TOLERANCE = 0.3;

type Context = Pick<GoldenSource<unknown>, "folder" | "options">;

/** Compares size, rate, number of frames and mean colours. */
export async function* checkVideo(
  name: string,
  { file, frames, width, height, fps, mean_bgr, pixels = {} }: z.infer<typeof videoCase> & {
    /** By frame: row, column, blue, green, red. */
    readonly pixels?: Readonly<Record<string, readonly (readonly number[])[]>>;
  },
  context: Context,
): AsyncGenerator<Finding> {
  const path = await findMedia(file, context);
  if (!path) {
    yield { name, reason: `${file} is not found, name its folder with --media` };
    return;
  }
  const deviations: Deviation[] = [];
  const add = (item: string, found: readonly number[], expected: readonly number[]) => {
    const { most: error } = differenceOf(found, expected);
    deviations.push({ item, error, tolerance: TOLERANCE });
  };
  try {
    const info = await videoInfo(path);
    add("width and height", [info.width, info.height], [width, height]);
    if (fps) add("rate", [info.framesPerSecond], [fps]);
    let index = 0;
    for await (const frame of readVideo(path)) {
      const key = String(index++);
      if (key in mean_bgr) add(`mean of frame ${key}`, meanColor(frame), mean_bgr[key]);
      for (const [y, x, ...color] of pixels[key] ?? []) {
        const at = 3 * (y * frame.width + x);
        add(`pixel of frame ${key}`, [...frame.data.subarray(at, at + 3)], color);
      }
    }
    add("number of frames", [index], [frames]);
    yield worstOf(name, deviations);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    yield { name, reason };
  }
}

/** Looks for a video in the golden folder, then in the media folders. */
export async function findMedia(
  file: string,
  { folder, options: { media = [] } }: Context,
): Promise<string | undefined> {
  const inside = folder.files.find((path) => path === file || path.endsWith(`/${file}`));
  if (inside) {
    folder.use(inside);
    return folder.pathOf(inside);
  }
  for (const place of media) {
    const path = join(place, file);
    try {
      if ((await Deno.stat(path)).isFile) return path;
    } catch {
      // Not here.
    }
  }
}

/** Means and single pixels of a video. */
export const videoMeansForm = defineForm({
  section: "tracks",
  content: z.object({
    source: z.string(),
    width: real(),
    height: real(),
    frames: real(),
    mean_bgr: means,
    sample_pixels_bgr_video: z.record(z.string(), z.array(reals())).default({}),
    mean_bgr_jpeg_folder: means.optional(),
  }),
  async *compare(source) {
    const { content: { source: file, sample_pixels_bgr_video: pixels, ...rest } } = source;
    const { mean_bgr_jpeg_folder, ...video } = rest;
    yield* checkVideo(`video ${file}`, { file, pixels, ...video }, source);
    if (!mean_bgr_jpeg_folder) return;
    yield await checkPictures(`${parse(file).name}/color`, mean_bgr_jpeg_folder, source);
  },
});

/** The frames of a video as pictures, `00000001.jpg` on. */
async function checkPictures(
  name: string,
  expected: z.infer<typeof means>,
  context: Context,
): Promise<Finding> {
  const deviations: Deviation[] = [];
  for (const [index, mean] of Object.entries(expected)) {
    const file = `${name}/${String(Number(index) + 1).padStart(8, "0")}.jpg`;
    const path = await findMedia(file, context);
    if (!path) return { name, reason: `${file} is not found, name its folder with --media` };
    const { most } = differenceOf(meanColor(await readImage(path)), mean);
    deviations.push({ item: `mean of frame ${index}`, error: most, tolerance: JPEG_TOLERANCE });
  }
  return worstOf(name, deviations);
}
