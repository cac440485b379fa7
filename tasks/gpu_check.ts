/**
 * Checks and times the program on a graphics card, in one go and without a network:
 * `deno task gpu-check`, or the bundle of it, `deno run -A gpu_check.js`.
 */
import { parseArgs } from "@std/cli/parse-args";
import { type DeviceFloors, inspectCuda, measureFloors, useBackend } from "../mod.ts";
import { checkFolder, isCheck } from "../src/parity/mod.ts";
import { TorchPeer } from "./bench/torch_peer.ts";
import { checkLoading } from "./gpu_check/loading.ts";
import { checkOps } from "./gpu_check/ops.ts";
import { formatSections } from "./gpu_check/report.ts";
import { ResultsFile } from "./gpu_check/results_file.ts";
import { attemptSection, type Scale, type Section } from "./gpu_check/section.ts";
import { checkSteps } from "./gpu_check/steps.ts";
import { checkTraining } from "./gpu_check/training.ts";
import { checkXcorr } from "./gpu_check/xcorr.ts";
import { runTask } from "./run_task.ts";

const USAGE = `Usage: deno task gpu-check [options]
  --device NAME   cuda, or emulated for a trial without a card
  --reduced       a small network and few rounds; implied by --device emulated
  --batch N       pairs a step; 28
  --steps N       steps of the training; 200
  --golden DIR    golden numbers to compare with
  --config FILE   an experiment to train with its data, such as configs/siamban_r50_l234.ts; without
                  it, the network that is checked and drawn videos
  --only A,B      sections: card, ops, golden, sanitizer, training, floors, xcorr, frozen, trained,
                  loading
  --precision A,B of the steps that are timed (frozen, trained): float32, tf32, bf16
  --no-torch      does not time PyTorch beside it
  --out FILE      where the figures go, as JSON, after each section; gpu_check.json. Sections that a
                  run before has written there stay until they are run again, so that a card that is
                  lent for minutes can be checked in parts`;

/** Runs the command; it ends with 1 if a section failed. */
export async function main(args: string[]): Promise<void> {
  const options = parseArgs(args, {
    string: ["device", "batch", "steps", "golden", "config", "only", "precision", "out"],
    boolean: ["reduced", "torch", "help"],
    negatable: ["torch"],
    default: { device: "cuda", out: "gpu_check.json", torch: true },
    unknown: (option: string) => fail(`unknown argument ${option}`),
  });
  if (options.help) return console.log(USAGE);
  if (options.device !== "cuda" && options.device !== "emulated") {
    fail(`--device is "${options.device}", expected cuda or emulated`);
  }
  const scale = scaleOf({ ...options, device: options.device as Scale["device"] });
  const only: string[] | undefined = options.only?.split(",");
  const precisions: string[] | undefined = options.precision?.split(",");
  const file = await ResultsFile.open(options.out, scale);
  const torch = options.torch && scale.device === "cuda";
  await using peer = torch
    ? await TorchPeer.start(navigator.hardwareConcurrency, "cuda")
    : undefined;
  let failed = false;
  for await (const section of runSections(scale, { ...options, peer, only, precisions })) {
    await file.add(section);
    failed ||= section.status === "failed";
    // An emulated device computes while it is told what to do: its times mean nothing.
    console.log(formatSections([section], { goals: !scale.reduced }));
  }
  console.log(`\nFigures are in ${options.out}`);
  if (failed) Deno.exitCode = 1;
}

function scaleOf(
  { device, reduced, batch, steps }: {
    readonly device: Scale["device"];
    readonly reduced: boolean;
    readonly batch?: string;
    readonly steps?: string;
  },
): Scale {
  const small = reduced || device === "emulated";
  return {
    device,
    reduced: small,
    batch: batch === undefined ? small ? 2 : 28 : whole("batch", batch),
    steps: steps === undefined ? small ? 8 : 200 : whole("steps", steps),
    rounds: small ? 1 : 5,
    stepsPerRound: small ? 1 : 20,
  };
}

async function* runSections(
  scale: Scale,
  { peer, golden, config, only, precisions }: {
    readonly peer?: TorchPeer;
    readonly golden?: string;
    readonly config?: string;
    readonly only?: readonly string[];
    readonly precisions?: readonly string[];
  },
): AsyncGenerator<Section> {
  let known: DeviceFloors | undefined;
  const floors = async () => known ??= await floorsOf(scale);
  const sections: Record<string, () => Promise<Omit<Section, "name">>> = {
    card: () => checkCard(scale),
    ops: () => checkOps(scale),
    golden: () => checkGolden(scale, golden),
    sanitizer: () => checkMemory(scale),
    training: () => checkTraining(scale),
    floors: async () => floorSection(await floors()),
    xcorr: async () => checkXcorr(scale, { peer, floors: await floors() }),
    frozen: async () =>
      checkSteps(scale, { regime: "frozen", peer, precisions, floors: await floors() }),
    trained: async () =>
      checkSteps(scale, { regime: "trained", peer, precisions, floors: await floors() }),
    loading: () => checkLoading(scale, { file: config }),
  };
  const unknown = only?.find((name) => !(name in sections));
  if (unknown) {
    fail(`no section is "${unknown}", expected some of ${Object.keys(sections).join(", ")}`);
  }
  for (const [name, run] of Object.entries(sections)) {
    if (only && !only.includes(name)) continue;
    const timed = precisions && (name === "frozen" || name === "trained");
    // A name of its own, so that the figures of other precisions stay.
    yield await attemptSection(timed ? `${name}, ${precisions.join(", ")}` : name, run);
  }
}

async function checkCard({ device }: Scale): Promise<Omit<Section, "name">> {
  await using backend = await useBackend(device);
  const { properties, cudnn, driver } = backend.cuda!;
  const { name, computeMajor, computeMinor, totalBytes } = properties;
  return {
    status: "ok",
    detail: `${name}, compute capability ${computeMajor}.${computeMinor}, ` +
      `${(totalBytes / 2 ** 30).toFixed(0)} GiB, driver for CUDA ${driver.version() / 1000}, ` +
      `cuDNN ${cudnn.version()}`,
    figures: [],
    facts: {
      properties,
      report: device === "cuda" ? inspectCuda() : undefined,
      deno: Deno.version,
    },
  };
}

async function checkGolden(
  { device }: Scale,
  folder: string | undefined,
): Promise<Omit<Section, "name">> {
  if (!folder) return { status: "skipped", detail: "no folder is named by --golden", figures: [] };
  await using backend = await useBackend(device);
  let held = 0;
  const failed: string[] = [];
  const only = ["ops", "models", "formula"];
  for await (const finding of checkFolder(folder, { backend: backend.name, only })) {
    if (!isCheck(finding)) continue;
    if (finding.passed) held++;
    else failed.push(finding.name);
  }
  return {
    status: failed.length === 0 ? "ok" : "failed",
    detail: `${held} checks hold, ${failed.length} do not${
      failed.length ? `: ${failed[0]} …` : ""
    }`,
    figures: [],
    facts: { failed },
  };
}

/** Runs the ops once more under NVIDIA's checker of memory accesses. */
async function checkMemory({ device }: Scale): Promise<Omit<Section, "name">> {
  if (device !== "cuda") {
    return { status: "skipped", detail: "the emulated device checks accesses itself", figures: [] };
  }
  const report = await Deno.makeTempFile();
  try {
    const { code, stdout } = await new Deno.Command("compute-sanitizer", {
      args: [
        "--tool=memcheck",
        "--error-exitcode=9",
        Deno.execPath(),
        "run",
        "-A",
        Deno.mainModule,
        "--device=cuda",
        "--only=ops",
        `--out=${report}`,
      ],
      stdout: "piped",
      stderr: "piped",
    }).output();
    const last = new TextDecoder().decode(stdout).trim().split("\n").slice(-3).join("; ");
    return { status: code === 0 ? "ok" : "failed", detail: last, figures: [] };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { status: "skipped", detail: "compute-sanitizer is not on the path", figures: [] };
  } finally {
    await Deno.remove(report);
  }
}

async function floorsOf({ device, reduced }: Scale): Promise<DeviceFloors> {
  await using backend = await useBackend(device);
  const floors = measureFloors(backend.cuda!, reduced ? { bytes: 1 << 20, size: 64 } : {});
  backend.cuda!.trim();
  return floors;
}

function floorSection(floors: DeviceFloors): Omit<Section, "name"> {
  const { copyBytesPerSecond, uploadBytesPerSecond, matmul, matmulMissing } = floors;
  return {
    status: "ok",
    detail: matmulMissing ?? "what the card can do at most",
    figures: [
      { name: "copy within the card", value: copyBytesPerSecond / 1e9, unit: "GB/s" },
      { name: "from pinned host memory", value: uploadBytesPerSecond / 1e9, unit: "GB/s" },
      ...Object.entries(matmul ?? {}).map(([precision, rate]) => ({
        name: `matrix product in ${precision}`,
        value: rate / 1e12,
        unit: "TFLOP/s",
      })),
    ],
  };
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    fail(`--${name} is "${text}", expected a number above 0`);
  }
  return value;
}

function fail(reason: string): never {
  throw new TypeError(`Cannot check the card: ${reason}\n${USAGE}`);
}

if (import.meta.main) await runTask(main);
