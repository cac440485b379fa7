/**
 * Converts a checkpoint for PyTorch or for any reader of safetensors:
 * `deno task export checkpoint_e20.safetensors siamban.pth --config configs/siamban_r50_l234.ts`.
 */
import { parseArgs } from "@std/cli/parse-args";
import { exportCheckpoint, loadExperiment } from "../mod.ts";
import { runTask } from "./run_task.ts";

const USAGE = `Usage: deno task export CHECKPOINT OUT --config FILE [options]
  CHECKPOINT        checkpoint_e*.safetensors of a training
  OUT               .pth: epoch, weights and SGD state, which the published trainer resumes;
                    .safetensors: the weights alone
  --config FILE     experiment of the checkpoint
  --set KEY=VALUE   the settings it was trained with where they differ from FILE; may be repeated
  --json            ends with one line of JSON`;

/** Runs the command. */
export async function main(args: string[]): Promise<void> {
  const { _: [from, to, ...rest], config: file, ...options } = parseArgs(args, {
    string: ["_", "config", "set"],
    boolean: ["json", "help"],
    collect: ["set"],
    unknown: (argument: string, key?: string) =>
      key === undefined || fail(`unknown option ${argument}`),
  });
  if (options.help) return console.log(USAGE);
  if (!from || !to || rest.length > 0) fail("two files are needed, the checkpoint and the new one");
  if (!file) fail("--config is needed");
  const { config } = await loadExperiment(file, { overrides: options.set as string[] });
  const report = await exportCheckpoint({ from, to, config });
  const { path, size, weights, momenta, position: { epoch, step } } = report;
  console.log(
    `${path}: ${weights} tensors of the model, momentum of ${momenta} parameters, ` +
      `${(size / 2 ** 20).toFixed(1)} MiB, after ${epoch} epochs`,
  );
  if (step > 0 && momenta > 0) {
    console.log(`PyTorch repeats the ${step} steps that were done of epoch ${epoch + 1}`);
  }
  if (options.json) console.log(JSON.stringify(report));
}

function fail(reason: string): never {
  throw new TypeError(`Cannot export: ${reason}\n${USAGE}`);
}

if (import.meta.main) await runTask(main);
