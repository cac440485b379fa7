import { dirname } from "@std/path";
import { z } from "zod";
import { type Region, toRegion } from "../region.ts";
import type { Sequence } from "../sequence.ts";
import { enter, pictureSize, publishedLengths, type SequenceEntry } from "./sequence_files.ts";
import { VOT_TAGS } from "./vot.ts";

/** Regions by frame. A NaN, which JSON has not, stands as null. */
const regions = z.custom<readonly (readonly (number | null)[])[]>(
  // A schema for each of a million numbers would take longer than scoring.
  (value) => Array.isArray(value) && value.length > 0 && value.every(isRow),
  "expected a list of lists of numbers, one a frame",
);

function isListOf(type: "number" | "string") {
  return (value: unknown) => Array.isArray(value) && value.every((item) => typeof item === type);
}

function isRow(row: unknown): boolean {
  if (!Array.isArray(row)) return false;
  for (let i = 0; i < row.length; i++) {
    if (typeof row[i] !== "number" && row[i] !== null) return false;
  }
  return true;
}

const marks = z.custom<readonly number[]>(isListOf("number"), "expected a list of numbers")
  .optional();

/** One sequence of pysot's annotation files; what else is in it does not matter. */
const annotation = z.object({
  img_names: z.custom<readonly string[]>(isListOf("string"), "expected a list of names").default(
    [],
  ),
  gt_rect: regions,
  attr: z.array(z.string()).nullish(),
  /** Parity: 1 where the target is *not* absent. */
  absent: marks,
  width: z.number().optional(),
  height: z.number().optional(),
  ...Object.fromEntries(VOT_TAGS.map((tag) => [tag, marks])) as Record<VotTag, typeof marks>,
});

type VotTag = (typeof VOT_TAGS)[number];

/**
 * Reads the annotations of a benchmark in the form of pysot's toolkit, one file a benchmark:
 * `{sequence: {img_names, gt_rect, attr?, absent?, camera_motion?, …}}`. Pictures are looked for
 * beside the file; `width` and `height`, where given, save opening them.
 *
 * @throws {SyntaxError} If the file is no JSON.
 */
export async function* readPysotJson(path: string): AsyncGenerator<SequenceEntry> {
  for (const [name, value] of Object.entries(await readJson(path))) {
    yield await enter(name, () => toSequence(name, value, path));
  }
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  const text = await Deno.readTextFile(path);
  try {
    const parsed = parseWithNaN(text);
    if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) return parsed;
  } catch (cause) {
    throw new SyntaxError(`Cannot read "${path}": ${(cause as Error).message}`, { cause });
  }
  throw new SyntaxError(`Cannot read "${path}": expected an object of sequences by name`);
}

/** JSON in which Python wrote NaN or Infinity, which stand as null: only then is it looked through. */
// deno-lint-ignore no-explicit-any
function parseWithNaN(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return JSON.parse(text.replace(/(?<=[[,:]\s*)-?(?:NaN|Infinity)(?=\s*[\],}])/g, "null"));
  }
}

async function toSequence(name: string, value: unknown, path: string): Promise<Sequence> {
  const checked = annotation.safeParse(value);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw new SyntaxError(
      `Cannot read "${name}" of "${path}": ${issue.path.join(".")}: ${issue.message}`,
    );
  }
  const data = checked.data;
  const folder = dirname(path);
  const frames = data.img_names.map((image) => `${folder}/${image}`);
  const tags = Object.fromEntries(VOT_TAGS.flatMap((tag) => data[tag] ? [[tag, data[tag]]] : []));
  return {
    name,
    frames,
    truth: data.gt_rect.map((row, i) =>
      toTruth(row, () => `"${name}" of "${path}", frame ${i + 1}`)
    ),
    attributes: data.attr ?? [],
    size: data.width && data.height
      ? { w: data.width, h: data.height }
      : await pictureSize(frames[0]),
    tags: Object.keys(tags).length > 0 ? tags : undefined,
    visible: data.absent?.map((mark) => mark === 1),
    ...publishedLengths(name),
  };
}

function toTruth(row: readonly (number | null)[], place: () => string): Region | null {
  const numbers = row.includes(null) ? row.map((value) => value ?? NaN) : row as number[];
  const region = row.length === 1 ? null : toRegion(numbers);
  if (region !== undefined) return region;
  throw new SyntaxError(`Cannot read ${place()}: found ${row.length} numbers, expected 4 or 8`);
}
