/** Trainings on several processes, for tests. */
import { assertEquals } from "@std/assert";
import { type Experiment, formatExperiment } from "../../src/config/mod.ts";
import { readCheckpoint, type StateDict } from "../../src/weights/mod.ts";
import { smallExperiment } from "../experiment/small_run.ts";
import { type JobResult, runJob } from "./mpi_job.ts";

/** The command that trains. */
export const task = new URL("../../tasks/train.ts", import.meta.url).pathname;

type Training = Experiment["training"];

/** Writes an experiment of six steps an epoch that all runs of a test share the data of. */
export async function writeExperiment(
  folder: string,
  name: string,
  training: Training,
): Promise<string> {
  const config = smallExperiment(folder, {
    name,
    training: {
      epochs: 2,
      stepsPerEpoch: 2,
      snapshotDir: `${folder}/${name}`,
      syncBatchNorm: true,
      freezeNormsEpoch: 1,
      threads: 1,
      device: "onednn",
      ...training,
    },
  });
  const path = `${folder}/${name}.json`;
  await Deno.writeTextFile(path, formatExperiment(config));
  return path;
}

const commandOf = (
  config: string,
) => ["run", "-A", "--no-check", task, "--config", config, "--json"];

/** Trains an experiment on so many ranks. */
export async function train(ranks: number, config: string, ...more: string[]): Promise<JobResult> {
  return await runJob(ranks, [...commandOf(config), ...more]);
}

/**
 * Trains to the end, and gives the last checkpoint and the losses of the run.
 *
 * @param run How ranks are started.
 */
export async function trained(
  folder: string,
  ranks: number,
  name: string,
  training: Training,
  run: typeof runJob = runJob,
) {
  const config = await writeExperiment(folder, name, training);
  const { code, out, err } = await run(ranks, commandOf(config));
  assertEquals(code, 0, err + out);
  const { tensors } = await readCheckpoint(`${folder}/${name}/checkpoint_e2.safetensors`);
  return { tensors, out, summary: JSON.parse(out.trim().split("\n").at(-1)!) };
}

/**
 * The tensor that differs most between two states, by its largest difference as a share of its largest
 * entry. What is below 1e-4 counts as that: the gradient of a bias before a norm is rounding alone.
 */
export function largestDifference(
  a: StateDict,
  b: StateDict,
): { readonly name: string; readonly difference: number } {
  let worst = { name: "", difference: 0 };
  for (const [name, { data }] of a) {
    const other = b.get(name)!.data;
    let [difference, largest] = [0, 1e-4];
    for (let i = 0; i < data.length; i++) {
      difference = Math.max(difference, Math.abs(Number(data[i]) - Number(other[i])));
      largest = Math.max(largest, Math.abs(Number(data[i])));
    }
    if (difference > worst.difference * largest) worst = { name, difference: difference / largest };
  }
  return worst;
}
