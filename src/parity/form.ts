/** What a golden file looks like, and how the program is compared with one. */
import { dirname, join } from "@std/path";
import { z } from "zod";
import type { BackendName } from "../backends/mod.ts";
import { type Check, check, type Deviation, worstOf } from "./check.ts";
import { type GoldenFolder, MissingGolden } from "./golden_folder.ts";

/** Something in the folder that is not compared. */
export interface Unknown {
  /** A path, or a part of what a file holds. */
  readonly name: string;
  /** Why not. */
  readonly reason: string;
}

/** What comes out of a comparison. */
export type Finding = Check | Unknown;

/** Whether a finding is a comparison that took place. */
export function isCheck<F extends Finding>(finding: F): finding is Extract<F, Check> {
  return "passed" in finding;
}

/** Findings, as they come. */
export type Findings = AsyncGenerator<Finding> | Generator<Finding>;

/** How to compare. */
export interface ParityOptions {
  /** The backend in use. */
  readonly backend: BackendName;
  /** Whether to compare, too, what takes that backend more than some minutes. */
  readonly slow?: boolean;
  /** Folders where videos are looked for, beside the golden folder itself. */
  readonly media?: readonly string[];
}

/** Whether a backend takes minutes for what others take seconds for, and nobody asked for that. */
export function leavesOutSlow({ backend, slow = false }: ParityOptions): boolean {
  return !slow && (backend === "reference" || backend === "emulated");
}

/** A file of a known form. */
export interface GoldenSource<T> {
  /** In the folder. */
  readonly path: string;
  readonly content: T;
  readonly folder: GoldenFolder;
  readonly options: ParityOptions;
  /** Path in the folder of a file that the content names. */
  readonly beside: (name: string) => string;
}

/** A form of golden files and its comparison. */
export interface Form {
  /** A short name for summaries and for `--only`. */
  readonly section: string;
  /**
   * Looks at a file.
   *
   * @param content Parsed JSON, or text.
   * @returns The comparison if the file has this form.
   */
  readonly match: (
    file: { readonly path: string; readonly content: unknown },
    context: { readonly folder: GoldenFolder; readonly options: ParityOptions },
  ) => Findings | undefined;
}

/**
 * Declares a form: a file is recognised by what it holds, and by its path only if `path` is given.
 *
 * @param form `content`: what the form needs; anything more in a file is let through.
 */
export function defineForm<S extends z.ZodType>(
  { section, content: schema, path: pattern, compare }: {
    readonly section: string;
    readonly content: S;
    readonly path?: RegExp;
    readonly compare: (source: GoldenSource<z.infer<S>>) => Findings;
  },
): Form {
  return {
    section,
    match({ path, content }, context) {
      if (pattern && !pattern.test(path)) return undefined;
      const parsed = schema.safeParse(content);
      if (!parsed.success) return undefined;
      const beside = (name: string) => join(dirname(path), name);
      return compare({ path, content: parsed.data, ...context, beside });
    },
  };
}

/** A number, which may be infinite or none. */
export const real = () => z.custom<number>((value) => typeof value === "number");

/** Numbers. */
export const reals = () => z.array(real());

/** The worst of some comparisons, if there are any. */
export function* worstIfAny(name: string, deviations: readonly Deviation[]): Generator<Check> {
  if (deviations.length > 0) yield worstOf(name, deviations);
}

/**
 * Runs the comparison of one case; what it throws is a failed check, and the others still run. What
 * is missing in the golden files is no fault of the program.
 *
 * @param name Of that check.
 */
export async function* attempt(
  name: string,
  compare: () => Findings | Finding | Promise<Findings | Finding>,
): AsyncGenerator<Finding> {
  try {
    const findings = await compare();
    if (Symbol.iterator in findings || Symbol.asyncIterator in findings) yield* findings;
    else yield findings;
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    if (error instanceof MissingGolden) yield { name, reason: detail };
    else yield check(name, { error: Infinity, tolerance: 0, detail });
  }
}

/** Runs one comparison a case; without the files that a case needs it is not compared. */
export async function* eachCase<C>(
  cases: readonly C[] | undefined,
  { folder, needs, name, compare }: {
    readonly folder: GoldenFolder;
    readonly name: (one: C) => string;
    /** Paths in the folder. */
    readonly needs: (one: C) => readonly string[];
    readonly compare: (one: C, name: string) => Findings | Finding | Promise<Findings | Finding>;
  },
): AsyncGenerator<Finding> {
  for (const one of cases ?? []) {
    const files = needs(one);
    folder.use(...files);
    const missing = files.filter((file) => !folder.has(file));
    if (missing.length === 0) yield* attempt(name(one), () => compare(one, name(one)));
    else yield { name: name(one), reason: `${missing.join(", ")} is missing` };
  }
}
