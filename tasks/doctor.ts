/** Says what the program found on this machine, what is missing, and whether it computes right. */
import { parseArgs } from "@std/cli/parse-args";
import { BACKEND_NAMES, type BackendName, inspectCuda } from "../mod.ts";
import type { Finding } from "./doctor/findings.ts";
import { describeGpu, knowsNvidia, needsLibraries } from "./doctor/gpu.ts";
import { inspectMachine } from "./doctor/machine.ts";
import { selfTest, type SelfTestReport } from "./doctor/self_test.ts";
import { inspectTools } from "./doctor/tools.ts";
import { runTask } from "./run_task.ts";

const USAGE = `Usage: deno task doctor [options]
  --device NAME  what the self test runs on: auto, ${BACKEND_NAMES.join(", ")}
  --all          says of a machine without an NVIDIA card too where its libraries were looked for
  --json         prints one line of JSON and nothing else`;

/** Runs the command; it ends with 1 if the self test fails. */
export async function main(args: string[]): Promise<void> {
  const { device, all, json, help } = parseArgs(args, {
    string: ["device"],
    boolean: ["all", "json", "help"],
    default: { device: "auto" },
    unknown: (name: string) => {
      throw new TypeError(`Cannot take "${name}"\n${USAGE}`);
    },
  });
  if (help) return console.log(USAGE);
  const report = await examine(device as BackendName | "auto");
  if (json) console.log(JSON.stringify(report));
  else print(report, all || report.gpuKnown);
  if (!report.selfTest.passed) Deno.exitCode = 1;
}

interface Report {
  readonly machine: readonly Finding[];
  readonly tools: readonly Finding[];
  readonly gpu: readonly Finding[];
  /** Whether the machine has an NVIDIA card, or software for one. */
  readonly gpuKnown: boolean;
  /** Whether a card is there whose software is incomplete. */
  readonly gpuIncomplete: boolean;
  readonly selfTest: SelfTestReport | { readonly passed: false; readonly error: string };
}

async function examine(device: BackendName | "auto"): Promise<Report> {
  const cuda = inspectCuda();
  return {
    machine: inspectMachine(),
    tools: await inspectTools(),
    gpu: describeGpu(cuda),
    gpuKnown: knowsNvidia(cuda),
    gpuIncomplete: needsLibraries(cuda),
    selfTest: await selfTest(device).catch((error) => ({
      passed: false as const,
      error: (error as Error).message,
    })),
  };
}

function print({ machine, tools, gpu, gpuIncomplete, selfTest }: Report, all: boolean): void {
  printSection("Machine", machine);
  printSection("Tools", tools);
  printSection("GPU", all ? gpu : [{ name: "card", detail: "no NVIDIA card (--all says more)" }]);
  if (gpuIncomplete) console.log("\nThe card cannot be used before what is missing is installed.");
  console.log("\nSelf test");
  if ("error" in selfTest) return console.log(`  failed: ${selfTest.error}`);
  const { device, note, differences, passed, fused, seconds } = selfTest;
  if (note) console.log(`  passed by a faster device: ${note}`);
  const worst = Math.max(...Object.values(differences));
  console.log(
    `  ${passed ? "passed" : "FAILED"} on ${device} in ${seconds.toFixed(1)} s: convolution and ` +
      `correlation, forward and backward, differ from the reference by ${worst.toExponential(1)}`,
  );
  if (fused) console.log(`  fused convolution: ${fused}`);
}

function printSection(title: string, findings: readonly Finding[]): void {
  console.log(`${title === "Machine" ? "" : "\n"}${title}`);
  const width = Math.max(...findings.map(({ name }) => name.length));
  for (const { name, detail, remedy, searched } of findings) {
    console.log(`  ${name.padEnd(width)}  ${detail}`);
    if (remedy) console.log(`  ${"".padEnd(width)}  to get it: ${remedy}`);
    if (searched) {
      console.log(`  ${"".padEnd(width)}  not found by the system's loader, nor in`);
      for (const place of searched) console.log(`  ${"".padEnd(width)}    ${place}`);
    }
  }
}

if (import.meta.main) await runTask(main);
