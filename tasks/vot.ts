/**
 * Serves a tracker over standard input and output, so that the VOT toolkit can drive it:
 * `deno run -A tasks/vot.ts --config configs/siamban_r50_l234.ts --weights checkpoint.pth`.
 */
import { parseArgs } from "@std/cli/parse-args";
import type { Tracker } from "../src/tracking/tracker.ts";
import { serveTrax, TRAX_VERSIONS, type TraxVersion } from "../src/trax/mod.ts";
import { runTask } from "./run_task.ts";

const USAGE = `Usage: deno run -A tasks/vot.ts --config FILE --weights FILE [options]
  --config FILE     experiment of the tracker
  --weights FILE    checkpoint, .pth or .safetensors
  --set KEY=VALUE   changes a setting, such as tracking.penaltyK=0.1; may be repeated
  --device NAME     auto, cuda, onednn, reference or emulated
  --threads N       CPU threads of the native kernels; all cores
  --protocol N      version of TraX that is announced: ${TRAX_VERSIONS.join(", ")}; 4
  --name NAME       how the tracker introduces itself; siamban
Standard output carries the protocol only; messages go to standard error.`;

/** Runs the command. */
export async function main(args: string[]): Promise<void> {
  // Libraries that print would break the protocol.
  console.log = console.info = console.debug = console.error;
  const options = parseArgs(args, {
    string: ["config", "weights", "set", "device", "threads", "protocol", "name"],
    boolean: ["help"],
    collect: ["set"],
    default: { protocol: "4", name: "siamban" },
    unknown: (option: string) => fail(`unknown option ${option}`),
  });
  if (options.help) return console.error(USAGE);
  const { config, weights } = options;
  if (!config) fail("--config is missing");
  if (!weights) fail("--weights is missing");
  const overrides = options.set as string[];
  for (const key of ["device", "threads"] as const) {
    if (options[key]) overrides.push(`training.${key}=${options[key]}`);
  }
  await using input = await openConnection();
  const end = await serveTrax({
    ...input,
    name: options.name,
    description: `SiamBAN for Deno, ${config}`,
    version: versionOf(options.protocol),
    open: () => openTrackers({ config, weights, overrides }),
  });
  if (end === "gone") console.error("The client went away");
}

function versionOf(text: string): TraxVersion {
  return TRAX_VERSIONS.find((version) => String(version) === text) ??
    fail(`--protocol is "${text}", expected one of ${TRAX_VERSIONS.join(", ")}`);
}

interface Connection extends AsyncDisposable {
  readonly input: ReadableStream<Uint8Array>;
  readonly output: WritableStream<Uint8Array>;
}

/** Standard input and output, or the port that the client names where it has `socket = true`. */
async function openConnection(): Promise<Connection> {
  const port = Deno.env.get("TRAX_SOCKET");
  if (!port) {
    const { readable, writable } = {
      readable: Deno.stdin.readable,
      writable: Deno.stdout.writable,
    };
    return { input: readable, output: writable, async [Symbol.asyncDispose]() {} };
  }
  const connection = await Deno.connect({ hostname: "127.0.0.1", port: Number(port) });
  return {
    input: connection.readable,
    output: connection.writable,
    // deno-lint-ignore require-await -- closing does not wait
    async [Symbol.asyncDispose]() {
      try {
        connection.close();
      } catch {
        // The streams have closed it.
      }
    },
  };
}

interface TrackerFiles {
  readonly config: string;
  readonly weights: string;
  readonly overrides: readonly string[];
}

/** Loads networks and kernels, which is why the client is greeted first. */
async function openTrackers(files: TrackerFiles): Promise<() => Tracker> {
  const { buildTracker, loadExperiment, openTrained, useBackend } = await import("../mod.ts");
  const { config, ignored } = await loadExperiment(files.config, { overrides: files.overrides });
  for (const reason of ignored) console.error(`Ignored: ${reason}`);
  const { training } = config;
  // Compiling may take longer than a client waits, and plain TypeScript instead of it longer a frame.
  const backend = await useBackend(training.device, { ...training, compile: false });
  console.error(`Backend: ${backend.name}${backend.note ? ` (slow). ${backend.note}` : ""}`);
  (await import("./tell_decoder.ts")).tellDecoder();
  const model = await openTrained(config, files.weights);
  return () => buildTracker(model, config);
}

function fail(reason: string): never {
  throw new TypeError(`Cannot serve: ${reason}\n${USAGE}`);
}

if (import.meta.main) {
  await runTask(main);
  // A client may leave the pipe open.
  Deno.exit();
}
