/** What can be wrong with an experiment, and how it is said. */

/** One thing that is wrong. */
export interface Problem {
  /** Full path of the key in the words of the source, e.g. `training.batchSize`, `TRAIN.BATCH_SIZE`. */
  readonly key: string;
  /** The value found; undefined where there is none. */
  readonly value?: unknown;
  /** Whether nobody wrote the value. */
  readonly byDefault?: boolean;
  /** What is said of the key beside its value, e.g. `unknown key`. */
  readonly found?: string;
  /** What was expected instead. */
  readonly expected: string;
  /** The known key or word most like what was written. */
  readonly nearest?: string;
  /** The place in the source, e.g. `line 12`. */
  readonly place?: string;
}

/** Thrown for an experiment that cannot be used; tasks show its message without a stack. */
export class ExperimentError extends Error {
  override name = "ExperimentError";
  /** Everything that is wrong. */
  readonly problems: readonly Problem[];
  /** Name of the file or object. */
  readonly source: string;

  constructor(source: string, problems: readonly Problem[], options?: ErrorOptions) {
    const lines = problems.map(formatProblem);
    super(
      lines.length === 1
        ? `Cannot use ${source}: ${lines[0]}`
        : `Cannot use ${source}, ${lines.length} problems:\n${
          lines.map((line) => `  - ${line}`).join("\n")
        }`,
      options,
    );
    this.source = source;
    this.problems = problems;
  }
}

const MAX_VALUE_LENGTH = 80;

function formatValue(value: unknown): string {
  const text = typeof value === "number" ? String(value) : JSON.stringify(value) ?? String(value);
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}

/** One line, e.g. `line 3: "TRAIN.EPOCH" is "ten", expected a whole number of at least 1`. */
export function formatProblem(problem: Problem): string {
  const { key, value, byDefault, found, expected, nearest, place } = problem;
  const said = [
    value === undefined ? "" : `is ${formatValue(value)}${byDefault ? " by default" : ""}`,
    found ?? (value === undefined ? "is missing" : ""),
  ].filter((part) => part !== "").join(", ");
  return `${place ? `${place}: ` : ""}"${key}" ${said}, expected ${expected}` +
    (nearest === undefined ? "" : `, did you mean "${nearest}"`);
}
