import { readImage } from "./decode.ts";
import type { Image } from "./image.ts";
import { readVideo } from "./video.ts";

const PICTURE = /\.(jpe?g|png)$/i;
const naturalOrder = new Intl.Collator("en", { numeric: true }).compare;

/**
 * Paths of the JPEG and PNG files directly in a folder, in natural order (2 before 10).
 *
 * @throws {Deno.errors.NotFound} If there is no such folder.
 */
export async function listFrames(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (!isDirectory && PICTURE.test(name)) names.push(name);
  }
  return names.sort(naturalOrder).map((name) => `${folder}/${name}`);
}

/**
 * The frames of a folder of pictures, or of a video file.
 *
 * @throws {Deno.errors.NotFound} If there is no such file or folder.
 * @throws {RangeError} If the folder holds no pictures.
 */
export async function* readFrames(path: string): AsyncGenerator<Image> {
  if (!(await Deno.stat(path)).isDirectory) return yield* readVideo(path);
  const files = await listFrames(path);
  if (files.length === 0) {
    throw new RangeError(`Cannot read frames from "${path}": it holds no JPEG or PNG files`);
  }
  for (const file of files) yield await readImage(file);
}
