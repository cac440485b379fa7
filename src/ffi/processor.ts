import { readSystemFile } from "./system_file.ts";

/** What a kind of processor has, and how the compiler is told. */
interface Level {
  readonly compileFlags: readonly string[];
  /** Features as /proc/cpuinfo names them. */
  readonly needs: readonly string[];
}

const AVX2: Level = { compileFlags: ["-mavx2", "-mfma"], needs: ["avx2", "fma"] };
const AVX512: Level = {
  compileFlags: [...AVX2.compileFlags, "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"],
  needs: [...AVX2.needs, "avx512f", "avx512bw", "avx512dq", "avx512vl"],
};

/** Kinds of processors that native code can be compiled for without being theirs alone. */
const LEVELS = {
  /** Any of this architecture: what the compiler assumes by itself. */
  generic: { compileFlags: [], needs: [] },
  avx2: AVX2,
  avx512: AVX512,
} as const satisfies Record<string, Level>;

/** `native` takes all that this very processor has. */
export type ProcessorLevel = "native" | keyof typeof LEVELS;

/** Every level, the widest first. */
export const PROCESSOR_LEVELS: readonly ProcessorLevel[] = ["native", "avx512", "avx2", "generic"];

/** What native code is compiled for. */
export interface ProcessorTarget {
  readonly level: ProcessorLevel;
  readonly compileFlags: readonly string[];
  /** Differs between targets whose code may not run on each other. */
  readonly key: string;
}

/**
 * Chooses what to compile for: all that the processor has, or less where the environment variable
 * SIAMBAN_CPU says so. Where the processor's features cannot be read, code that runs on any.
 *
 * @param options.features Of the processor at hand; tests give others.
 * @throws {Error} If the level is unknown, or the processor lacks what it needs.
 */
export function processorTarget({
  level = Deno.env.get("SIAMBAN_CPU"),
  features = processorFeatures(),
}: { readonly level?: string; readonly features?: readonly string[] } = {}): ProcessorTarget {
  const chosen = level ?? (features.length > 0 ? "native" : "generic");
  // What -march=native depends on: a library must never reach a processor that lacks any of it.
  if (chosen === "native") {
    return { level: chosen, compileFlags: ["-march=native"], key: features.join(" ") };
  }
  if (!isLevel(chosen)) {
    throw new Error(
      `Cannot compile native code: SIAMBAN_CPU is "${chosen}", ` +
        `expected one of ${PROCESSOR_LEVELS.join(", ")}`,
    );
  }
  const { compileFlags, needs } = LEVELS[chosen];
  const lacking = needs.filter((feature) => !features.includes(feature));
  if (lacking.length > 0) {
    throw new Error(
      `Cannot run native code for ${chosen}: this processor lacks ${lacking.join(", ")}, ` +
        "set SIAMBAN_CPU to native",
    );
  }
  // Tells the sources that a person chose, so that libraries under them choose alike.
  const define = level === undefined ? [] : ["-DSIAMBAN_CPU_CHOSEN"];
  return { level: chosen, compileFlags: [...compileFlags, ...define], key: chosen };
}

/** Features of this processor as Linux names them; none where that cannot be read. */
export function processorFeatures(): readonly string[] {
  const text = readSystemFile("/proc/cpuinfo") ?? "";
  return /^(?:flags|Features)\s*:\s*(.*)$/m.exec(text)?.[1].split(/\s+/).filter(Boolean) ?? [];
}

function isLevel(name: string): name is keyof typeof LEVELS {
  return Object.hasOwn(LEVELS, name);
}
