import { z } from "zod";
import { readTorchFile, WeightsFileError } from "../../weights/mod.ts";
import { type Check, check, worstOf } from "../check.ts";
import { defineForm, eachCase, type Finding } from "../form.ts";

const hostileFile = z.object({
  /** `error`, `load`, or both words. */
  must: z.string(),
  why: z.string(),
});

/** Seconds and bytes that a file may take. */
const LIMITS = { seconds: 2, megabytes: 64 };

/** What reading a file came to. */
interface Outcome {
  readonly error?: unknown;
  readonly seconds: number;
  readonly megabytes: number;
}

/** Files that try to do harm. */
export const hostileForm = defineForm({
  section: "checkpoints",
  content: z.record(z.string(), hostileFile).refine((files) => Object.keys(files).length > 0),
  async *compare({ content, folder, beside }): AsyncGenerator<Finding> {
    const outcomes = new Map<string, Outcome>();
    yield* eachCase(Object.entries(content), {
      folder,
      name: ([file]) => `hostile ${file}`,
      needs: ([file]) => [beside(file)],
      async compare([file, { must, why }], name) {
        const outcome = await read(folder.pathOf(beside(file)));
        outcomes.set(file, outcome);
        return checkOutcome(name, outcome, { must, why });
      },
    });
    yield worstOf(
      "hostile: seconds",
      [...outcomes].map(([item, { seconds: error }]) => ({
        item,
        error,
        tolerance: LIMITS.seconds,
      })),
    );
    yield worstOf(
      "hostile: MB of memory",
      [...outcomes].map(([item, { megabytes: error }]) => ({
        item,
        error,
        tolerance: LIMITS.megabytes,
      })),
    );
    yield check("hostile: no object is polluted", {
      error: Number("polluted" in {}),
      tolerance: 0,
    });
  },
});

async function read(path: string): Promise<Outcome> {
  const { rss } = Deno.memoryUsage();
  const start = performance.now();
  let error: unknown;
  try {
    await readTorchFile(path);
  } catch (thrown) {
    error = thrown;
  }
  const seconds = (performance.now() - start) / 1000;
  return { error, seconds, megabytes: Math.max(0, Deno.memoryUsage().rss - rss) / 1e6 };
}

function checkOutcome(
  name: string,
  { error }: Outcome,
  { must, why }: z.infer<typeof hostileFile>,
): Check {
  const message = error instanceof Error ? error.message : String(error ?? "");
  const fault = error === undefined
    ? !must.includes("load") && `it loads, but: ${why}`
    : !(error instanceof WeightsFileError)
    ? `it fails with another error: ${message}`
    : !must.includes("error") && `it is refused: ${message}`;
  const detail = fault || message || "loads";
  return check(name, { error: Number(Boolean(fault)), tolerance: 0, detail });
}
