import { assertEquals, assertRejects } from "@std/assert";
import { scoreBenchmark } from "../../src/evaluation/score_benchmark.ts";
import { withFolder } from "./benchmarks/benchmark_folder.ts";

const truth = Array(12).fill([10, 10, 20, 20]);
const files = {
  "VOT2018.json": JSON.stringify({ a: { gt_rect: truth, width: 64, height: 48 } }),
  "results/VOT2018/A/baseline/a/a_001.txt": "1\n" + "10,10,20,20\n".repeat(11),
  "results/VOT2018/B/baseline/a/a_001.txt": "1\n" + "10,10,20,10\n".repeat(11),
  "results/VOT2018/C/baseline/a/a_001.txt": "1\n",
};

function request(root: string) {
  return {
    benchmark: "VOT2018",
    annotations: `${root}/VOT2018.json`,
    results: `${root}/results`,
    conventions: ["pysot", "vot"],
  } as const;
}

Deno.test("scoreBenchmark() gives the same on several threads", () =>
  withFolder(files, async (root) => {
    const [one, two] = [
      await scoreBenchmark(request(root), { threads: 1 }),
      await scoreBenchmark(request(root), { threads: 2 }),
    ];
    assertEquals(one.scores.scores.map(({ tracker }) => tracker), ["A", "B", "C", "A", "B", "C"]);
    assertEquals(two.scores.scores, one.scores.scores);
    assertEquals(two.scores.problems, one.scores.problems);
  }));

Deno.test("scoreBenchmark() tells a failure once, whatever the threads", () =>
  withFolder(files, async (root) => {
    const wrong = { ...request(root), trackers: ["A", "D"] };
    for (const threads of [1, 2]) {
      await assertRejects(
        () => scoreBenchmark(wrong, { threads }),
        RangeError,
        'Cannot find tracker "D"',
      );
    }
  }));
