/**
 * The reference's pictures: a part lies in tests/fixtures/images, all of them in the folder
 * `shared/golden/images` beside the repository, where there is one.
 */
import { assert, assertEquals } from "@std/assert";
import { readImage } from "../../src/image/decode.ts";
import type { Image } from "../../src/image/image.ts";
import golden from "../fixtures/images/images.json" with { type: "json" };

export { golden };

const SHARED = new URL("../../../shared/", import.meta.url).pathname;
const FOLDERS = [new URL("../fixtures/images", import.meta.url).pathname, `${SHARED}golden/images`];

/** Path of a file beside the repository, or undefined. */
export function sharedPath(path: string): string | undefined {
  return exists(SHARED + path) ? SHARED + path : undefined;
}

/** Path of a golden file, or undefined where it is not at hand. */
export function goldenPath(name: string): string | undefined {
  return FOLDERS.map((folder) => `${folder}/${name}`).find(exists);
}

/** A golden picture. */
export function goldenImage(name: string): Promise<Image> {
  return readImage(goldenPath(name)!);
}

/** The cases whose files are at hand; at least one. */
export function casesWith<T>(cases: readonly T[], files: (golden: T) => string[]): T[] {
  const present = cases.filter((one) => files(one).every(goldenPath));
  assert(present.length > 0);
  return present;
}

/** Whether golden tensors are at hand. */
export const hasTensors = goldenPath("images.safetensors") !== undefined;

/** A float32 golden tensor (safetensors: length, JSON header, bytes). */
export function goldenTensor(name: string): Float32Array {
  const file = Deno.readFileSync(goldenPath("images.safetensors")!);
  const start = 8 + Number(new DataView(file.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, start)));
  const [from, to] = header[name].data_offsets;
  return new Float32Array(file.slice(start + from, start + to).buffer);
}

/** Largest and mean difference of two arrays of one length. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): [number, number] {
  assertEquals(a.length, b.length);
  let most = 0, sum = 0;
  for (let i = 0; i < a.length; i++) {
    const step = Math.abs(a[i] - b[i]);
    most = Math.max(most, step);
    sum += step;
  }
  return [most, sum / a.length];
}

/** Requires the same size and the same pixels. */
export function assertSamePixels(actual: Image, expected: Image, name = ""): void {
  assertEquals([actual.width, actual.height], [expected.width, expected.height], name);
  const [most, mean] = difference(actual.data, expected.data);
  assert(most === 0, `${name}: pixels differ by up to ${most}, on average by ${mean}`);
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
