/** Builders of schema fields. Each one's error text is the phrase that follows "expected" in a report. */
import { z } from "zod";

/** Bounds of a number; `min` and `max` are included, `above` and `below` are not. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
  readonly above?: number;
  readonly below?: number;
}

function boundsText({ min, max, above, below }: Bounds): string {
  const parts = [
    min === undefined ? "" : `of at least ${min}`,
    above === undefined ? "" : `above ${above}`,
    max === undefined ? "" : `of at most ${max}`,
    below === undefined ? "" : `below ${below}`,
  ].filter((part) => part !== "");
  return parts.length === 0 ? "" : ` ${parts.join(" and ")}`;
}

function bounded<T extends z.ZodNumber>(schema: T, bounds: Bounds, error: string): T {
  const { min, max, above, below } = bounds;
  let result: z.ZodNumber = schema;
  if (min !== undefined) result = result.min(min, { error });
  if (above !== undefined) result = result.gt(above, { error });
  if (max !== undefined) result = result.max(max, { error });
  if (below !== undefined) result = result.lt(below, { error });
  return result as T;
}

/** A whole number within `bounds`. */
export function whole(bounds: Bounds = {}): z.ZodInt {
  const error = `a whole number${boundsText(bounds)}`;
  return bounded(z.int({ error }), bounds, error);
}

/** A finite number within `bounds`. */
export function real(bounds: Bounds = {}): z.ZodNumber {
  const error = `a number${boundsText(bounds)}`;
  return bounded(z.number({ error }), bounds, error);
}

/** A probability, 0 to 1. */
export function probability(): z.ZodNumber {
  return real({ min: 0, max: 1 });
}

/** Text, possibly empty. */
export function text(): z.ZodString {
  return z.string({ error: "text" });
}

/** A switch. */
export function flag(): z.ZodBoolean {
  return z.boolean({ error: "true or false" });
}

/** One of some words. */
export function choice<const T extends readonly [string, ...string[]]>(words: T) {
  return z.enum(words, { error: `one of ${words.join(", ")}` });
}

/** A list of one or more `items`; `what` names them in the plural. */
export function list<T extends z.ZodType>(items: T, what: string): z.ZodArray<T> {
  const error = `a list of ${what}`;
  return z.array(items, { error }).min(1, { error: `${error} with at least one` });
}

/** Settings with known keys only. */
export function section<T extends z.core.$ZodShape>(shape: T) {
  return z.strictObject(shape, { error: "a section of settings" });
}

/** Settings whose keys depend on their `type`. */
export function oneOfTypes<
  const T extends readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]],
>(variants: T) {
  return z.discriminatedUnion("type", variants, {
    error: (issue) => {
      if (issue.code !== "invalid_union") return "a section of settings";
      const types = (issue as unknown as { options: unknown[] }).options;
      return `one of ${types.filter((type) => typeof type === "string").join(", ")}`;
    },
  });
}
