/**
 * Scores VOT results in a process of its own, `score_results.ts ANNOTATIONS RESULTS`, and prints one
 * line of JSON: processor seconds, start included, those of scoring once more, and each tracker's
 * figures.
 */
import { scoreBenchmark, toScoresJson } from "../../src/evaluation/mod.ts";
import { cpuUsage } from "node:process";

const [annotations, results] = Deno.args;

async function scoreAll() {
  const { scores } = await scoreBenchmark({ benchmark: "VOT2018", annotations, results });
  return toScoresJson(scores).trackers;
}

function cpuSeconds(): number {
  const { user, system } = cpuUsage();
  return (user + system) / 1e6;
}

const trackers = await scoreAll();
const seconds = cpuSeconds();
// After two passes all of it is compiled, as it is when many trackers are scored.
await scoreAll();
const before = cpuSeconds();
await scoreAll();
console.log(JSON.stringify({ seconds, again: cpuSeconds() - before, trackers }));
