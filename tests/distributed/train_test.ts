import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { readCheckpoint } from "../../src/weights/mod.ts";
import { temporaryFolder } from "../data/demo.ts";
import { BACKENDS } from "../support/backends.ts";
import { hasMpirun, jobCommand } from "./mpi_job.ts";
import { runTorchrunJob } from "./torchrun_job.ts";
import { largestDifference, task, train, trained, writeExperiment } from "./train_job.ts";

type Trained = Awaited<ReturnType<typeof trained>>;

function assertTrainsAsOne(many: Trained, one: Trained, ranks: number, batchSize: number): void {
  const { name, difference } = largestDifference(one.tensors, many.tensors);
  // One rectifier that rounding switches moves 9e-4; points counted per rank 1.1, norms per rank 2.2.
  assert(difference < 5e-3, `${ranks} ranks: ${name} differs by ${difference}`);
  for (const term of ["cls", "loc", "total"]) {
    assertAlmostEquals(many.summary.losses[term], one.summary.losses[term], 1e-4, term);
  }
  assertMatch(many.out, new RegExp(`${ranks} processes of ${batchSize} pairs: 6 pairs a step`));
}

Deno.test({
  name: "2 and 3 ranks train as one process with the whole batch",
  ignore: !hasMpirun,
  async fn() {
    await using folder = await temporaryFolder();
    const one = await trained(folder.path, 1, "one", { batchSize: 6 });
    for (const [ranks, batchSize] of [[2, 3], [3, 2]]) {
      const many = await trained(folder.path, ranks, `r${ranks}`, { batchSize });
      assertTrainsAsOne(many, one, ranks, batchSize);
    }
  },
});

Deno.test({
  name: "2 ranks started as torchrun does train as one process with the whole batch",
  ignore: !BACKENDS.some(({ name, available }) => name === "onednn" && available),
  async fn() {
    await using folder = await temporaryFolder();
    const one = await trained(folder.path, 1, "one", { batchSize: 6 }, runTorchrunJob);
    const two = await trained(folder.path, 2, "two", { batchSize: 3 }, runTorchrunJob);
    assertTrainsAsOne(two, one, 2, 3);
    // Rank 1 has nothing to say, and what it holds goes to no file.
    assertEquals(two.out.match(/"experiment"/g)?.length, 1, "Rank 1 has nothing to say");
  },
});

Deno.test({
  name: "a rank that is killed ends the job on all ranks, and what was saved stays",
  ignore: !hasMpirun,
  async fn() {
    await using folder = await temporaryFolder();
    const config = await writeExperiment(folder.path, "dies", {
      batchSize: 2,
      epochs: 500,
      stepsPerEpoch: 2,
    });
    const args = ["run", "-A", "--no-check", task, "--config", config];
    const job = jobCommand(2, args).spawn();
    const first = `${folder.path}/dies/checkpoint_e1.safetensors`;
    while (!await Deno.stat(first).then(() => true, () => false)) {
      await new Promise((wake) => setTimeout(wake, 100));
    }
    const ranks = await childrenOf(job.pid);
    assertEquals(ranks.length, 2);
    const killed = performance.now();
    Deno.kill(ranks[1], "SIGKILL");
    const { code, stderr } = await job.output();
    const text = new TextDecoder().decode(stderr);
    assert(performance.now() - killed < 10_000, "The job went on for 10 s");
    assert(code !== 0, "The job's status is 0");
    assertMatch(text, /rank 1 .*signal 9/);
    await readCheckpoint(first);
  },
});

Deno.test({
  name: "a rank that fails ends the job with its name and reason",
  ignore: !hasMpirun,
  async fn() {
    await using folder = await temporaryFolder();
    const config = await writeExperiment(folder.path, "fails", { batchSize: 2 });
    // The data are there for no rank: each would fail alike, and the first to fail ends the job.
    const missing = ["--set", `dataset.sets.DEMO.anno=${folder.path}/none/train.json`];
    const { code, err } = await train(2, config, ...missing);
    assertEquals(code, 1);
    assertMatch(err, /Rank \d of 2 on \S+ ends the job: Cannot prepare set DEMO/);
  },
});

Deno.test({
  name: "--stop-after finishes the step on all ranks, saves, and ends with status 75",
  ignore: !hasMpirun,
  async fn() {
    await using folder = await temporaryFolder();
    const config = await writeExperiment(folder.path, "stops", {
      batchSize: 2,
      epochs: 500,
      stepsPerEpoch: 50,
    });
    const { code, out, err } = await train(2, config, "--stop-after", "1s");
    const summary = JSON.parse(out.trim().split("\n").at(-1) ?? "{}");
    assertEquals([code, summary.stopped], [75, true], err + out);
    assertStringIncludes(summary.checkpoint, "stops/checkpoint_e");
    await readCheckpoint(summary.checkpoint);
  },
});

/** Process ids of a process's children. */
async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await new Deno.Command("ps", { args: ["--ppid", String(pid), "-o", "pid="] })
    .output();
  return new TextDecoder().decode(stdout).trim().split(/\s+/).map(Number);
}
