/**
 * Scores VOT results in a process of its own, `score_again.ts ANNOTATIONS RESULTS`, and prints the
 * processor seconds of scoring them once more.
 */
import { scoreBenchmark } from "../../src/evaluation/mod.ts";
import { cpuUsage } from "node:process";

const [annotations, results] = Deno.args;

async function scoreAll(): Promise<number> {
  const before = cpuUsage();
  await scoreBenchmark({ benchmark: "VOT2018", annotations, results });
  const { user, system } = cpuUsage(before);
  return (user + system) / 1e6;
}

// After two passes all of it is compiled, as it is when many trackers are scored.
await scoreAll();
await scoreAll();
console.log(JSON.stringify(await scoreAll()));
