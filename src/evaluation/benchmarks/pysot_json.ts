import { dirname } from "@std/path";
import { type Region, toRegion } from "../region.ts";
import type { Sequence } from "../sequence.ts";
import { enter, pictureSize, publishedLengths, type SequenceEntry } from "./sequence_files.ts";
import { VOT_TAGS } from "./vot.ts";

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

async function toSequence(name: string, annotation: unknown, path: string): Promise<Sequence> {
  const place = `"${name}" of "${path}"`;
  if (typeof annotation !== "object" || annotation === null) {
    throw new SyntaxError(`Cannot read ${place}: expected an object`);
  }
  const fields = new Fields(annotation, place), folder = dirname(path);
  const frames = (fields.list("img_names", NAMES) ?? []).map((image) => `${folder}/${image}`);
  const tags = Object.fromEntries(VOT_TAGS.flatMap((tag) => {
    const marks = fields.list(tag, NUMBERS);
    return marks ? [[tag, marks]] : [];
  }));
  const w = fields.number("width"), h = fields.number("height");
  return {
    name,
    frames,
    truth: toTruth(fields.list("gt_rect", ROWS) ?? [], place),
    attributes: fields.list("attr", NAMES) ?? [],
    size: w && h ? { w, h } : await pictureSize(frames[0]),
    tags: Object.keys(tags).length > 0 ? tags : undefined,
    // Parity: 1 where the target is *not* absent.
    visible: fields.list("absent", NUMBERS)?.map((mark) => mark === 1),
    ...publishedLengths(name),
  };
}

function toTruth(rows: readonly Row[], place: string): (Region | null)[] {
  if (rows.length === 0) throw new SyntaxError(`Cannot read ${place}: gt_rect: it has no frame`);
  return rows.map((row, i) => {
    const numbers = row.includes(null) ? row.map((value) => value ?? NaN) : row as number[];
    const region = row.length === 1 ? null : toRegion(numbers);
    if (region !== undefined) return region;
    throw new SyntaxError(
      `Cannot read ${place}, frame ${i + 1}: found ${row.length} numbers, expected 4 or 8`,
    );
  });
}

/** What the items of a list must be. */
interface Kind<T> {
  readonly title: string;
  readonly fits: (item: unknown) => item is T;
}

const NAMES: Kind<string> = {
  title: "names",
  fits: (item): item is string => typeof item === "string",
};
const NUMBERS: Kind<number> = {
  title: "numbers",
  fits: (item): item is number => typeof item === "number",
};

/** Numbers of a region; a NaN, which JSON has not, stands as null. */
type Row = readonly (number | null)[];

const ROWS: Kind<Row> = { title: "lists of numbers, one a frame", fits: isRow };

function isRow(row: unknown): row is Row {
  if (!Array.isArray(row)) return false;
  for (let i = 0; i < row.length; i++) {
    if (typeof row[i] !== "number" && row[i] !== null) return false;
  }
  return true;
}

/**
 * What an annotation says of a sequence, null being as good as nothing; what else is in it does not
 * matter. There is no schema, because loading a library for it takes longer than scoring.
 */
class Fields {
  readonly #fields: Readonly<Record<string, unknown>>;
  readonly #place: string;

  constructor(annotation: object, place: string) {
    this.#fields = { ...annotation };
    this.#place = place;
  }

  list<T>(key: string, kind: Kind<T>): readonly T[] | undefined {
    const value = this.#fields[key] ?? undefined;
    if (value === undefined || Array.isArray(value) && value.every(kind.fits)) return value;
    throw this.#fault(key, `a list of ${kind.title}`);
  }

  number(key: string): number | undefined {
    const value = this.#fields[key] ?? undefined;
    if (value === undefined || typeof value === "number") return value;
    throw this.#fault(key, "a number");
  }

  #fault(key: string, expected: string): SyntaxError {
    return new SyntaxError(`Cannot read ${this.#place}: ${key}: expected ${expected}`);
  }
}
