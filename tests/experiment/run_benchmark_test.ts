import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { benchmarkNamed, readBenchmark } from "../../src/evaluation/benchmarks/mod.ts";
import { TrackerResults } from "../../src/evaluation/results.ts";
import { listCheckpoints } from "../../src/experiment/checkpoints.ts";
import { runBenchmark } from "../../src/experiment/run_benchmark.ts";
import { assertClose } from "../support/close.ts";
import { testTiny } from "../training/tiny.ts";
import { FRAMES, withFiles } from "./noise_benchmark.ts";

testTiny(
  "runBenchmark() tracks in threads as in one, keeps what is done, and tells what failed",
  () =>
    withFiles("OTB100", async ({ root, annotations, config, weights }) => {
      const content = await readBenchmark(benchmarkNamed("OTB100"), annotations);
      const tracker = { config, weights, overrides: [] };
      const run = (name: string, workers: number, options = {}) =>
        Array.fromAsync(runBenchmark(content, {
          tracker: { ...tracker, ...options },
          folder: join(root, name),
          workers,
        }));
      const one = await run("one", 0);
      assertEquals(one.map(({ kind }) => kind).sort(), ["failed", "tracked", "tracked", "tracked"]);
      const [failed] = one.filter((report) => report.kind === "failed");
      assertEquals(failed.sequence, "broken");
      assertStringIncludes(failed.reason, "broken/3.jpg");

      const threads = await run("threads", 2);
      assertEquals(threads.filter(({ kind }) => kind === "tracked").length, 3);
      for (const name of ["a", "b", "c"]) {
        const texts = ["one", "threads"].map((run) =>
          Deno.readTextFileSync(join(root, run, `${name}.txt`))
        );
        assertEquals(texts[0], texts[1]);
      }
      const together = await Array.fromAsync(
        runBenchmark(content, { tracker, folder: join(root, "together"), workers: 0, batch: 3 }),
      );
      assertEquals(together.map(({ kind }) => kind).sort(), one.map(({ kind }) => kind).sort());
      for (const sequence of content.sequences.filter(({ name }) => name !== "broken")) {
        const [alone, inBatch] = ["one", "together"].map((run) =>
          Deno.readTextFileSync(join(root, run, `${sequence.name}.txt`)).split(/[\n,]/).map(Number)
        );
        assertClose(inBatch, alone, { tolerance: 1e-6 });
      }
      const results = new TrackerResults(join(root, "one"));
      const [sequence] = content.sequences;
      assertEquals(results.read(sequence, "ope").runs[0].length, FRAMES);

      const again = await run("one", 0);
      assertEquals(again.map(({ kind }) => kind), ["kept", "kept", "kept", "failed"]);
      await assertRejects(
        () => run("one", 0, { overrides: ["tracking.penaltyK=0.5"] }),
        RangeError,
        "results are of other weights or settings",
      );
    }),
);

for (
  const [benchmark, protocol, file] of [
    ["VOT2018", "restart", "baseline/a/a_001.txt"],
    ["VOT2018-LT", "longTerm", "longterm/a/a_001.txt"],
    ["GOT-10k", "ope", "a/a_001.txt"],
  ] as const
) {
  testTiny(
    `runBenchmark() writes what ${benchmark}'s tools read`,
    () =>
      withFiles(benchmark, async ({ root, annotations, config, weights }) => {
        const all = await readBenchmark(benchmarkNamed(benchmark), annotations);
        const sequences = all.sequences.filter(({ name }) => name === "a");
        const folder = join(root, "results");
        const options = { tracker: { config, weights }, folder, workers: 0 };
        const [report] = await Array.fromAsync(runBenchmark({ ...all, sequences }, options));
        assertEquals(report.kind, "tracked");
        const lines = Deno.readTextFileSync(join(folder, file)).trimEnd().split("\n");
        assertEquals(lines.length, FRAMES);
        if (benchmark !== "GOT-10k") assertEquals(lines[0], "1");
        const results = new TrackerResults(folder);
        const { runs, confidences } = results.read(sequences[0], protocol);
        assertEquals(runs[0].length, FRAMES);
        assertEquals(confidences?.[0].length, protocol === "longTerm" ? FRAMES : undefined);
        const times = await results.readTimes(sequences[0]);
        assertEquals(times?.[0].length, benchmark === "GOT-10k" ? FRAMES : undefined);
      }),
  );
}

Deno.test("listCheckpoints() lists epochs in order, of a range, safetensors first", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const names = ["checkpoint_e2.pth", "checkpoint_e10.pth", "checkpoint_e9.pth", "x.pth"];
    for (const name of [...names, "checkpoint_e2.safetensors", "checkpoint_e3.step7.safetensors"]) {
      await Deno.writeTextFile(join(folder, name), "");
    }
    const found = await listCheckpoints(folder);
    assertEquals(found.map(({ epoch }) => epoch), [2, 9, 10]);
    assert(found[0].path.endsWith("checkpoint_e2.safetensors"));
    assertEquals((await listCheckpoints(folder, "3-9")).map(({ epoch }) => epoch), [9]);
    assertEquals((await listCheckpoints(folder, "9-")).map(({ epoch }) => epoch), [9, 10]);
    await assertRejects(() => listCheckpoints(folder, "20-30"), RangeError, "epochs 2, 9, 10");
    await assertRejects(() => listCheckpoints(folder, "a-b"), RangeError, "such as 11-20");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
