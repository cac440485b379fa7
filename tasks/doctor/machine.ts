import type { Finding } from "./findings.ts";
import { processorFeatures, processorTarget } from "../../src/ffi/processor.ts";
import { readSystemFile } from "../../src/ffi/system_file.ts";

/** Instruction sets that the native kernels gain from, with the words of /proc/cpuinfo. */
const INSTRUCTION_SETS = {
  AVX2: "avx2",
  "AVX-512": "avx512f",
  AMX: "amx_tile",
  NEON: "asimd",
} as const;

/** The computer and Deno. */
export function inspectMachine(): Finding[] {
  const flags = new Set(processorFeatures());
  const sets = Object.entries(INSTRUCTION_SETS).filter(([, flag]) => flags.has(flag));
  const names = sets.map(([name]) => name).join(", ") || "no vector instructions known";
  const gibibytes = Deno.systemMemoryInfo().total / 2 ** 30;
  return [
    { name: "system", detail: `${Deno.build.os} ${Deno.osRelease()}, ${Deno.build.arch}` },
    {
      name: "processor",
      detail: `${processorName()}, ${navigator.hardwareConcurrency} threads, ${names}`,
    },
    { name: "native code", detail: describeTarget() },
    { name: "memory", detail: `${gibibytes.toFixed(1)} GiB` },
    { name: "Deno", detail: `${Deno.version.deno}, V8 ${Deno.version.v8}` },
  ];
}

/** The processor as it calls itself. */
export function processorName(): string {
  const cpu = readSystemFile("/proc/cpuinfo") ?? "";
  return /^model name\s*:\s*(.*)$/m.exec(cpu)?.[1] ?? Deno.build.arch;
}

/** What native code is compiled for. */
export function describeTarget(): string {
  try {
    const { level } = processorTarget();
    if (level === "native") return "for all that this processor has";
    const chosen = Deno.env.get("SIAMBAN_CPU") === undefined ? "" : ", as SIAMBAN_CPU says";
    return level === "generic"
      ? `for any processor of this architecture${chosen}`
      : `for ${level}${chosen}`;
  } catch (error) {
    return (error as Error).message;
  }
}
