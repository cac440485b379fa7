/**
 * Scores VOT results in a process of its own, `score_results.ts ANNOTATIONS RESULTS`, and prints one
 * line of JSON: processor seconds, start included, and each tracker's figures.
 */
import { scoreBenchmark, toScoresJson } from "../../src/evaluation/mod.ts";
import { cpuUsage } from "node:process";

const [annotations, results] = Deno.args;
const { scores } = await scoreBenchmark({ benchmark: "VOT2018", annotations, results });
const { trackers } = toScoresJson(scores);
const { user, system } = cpuUsage();
console.log(JSON.stringify({ seconds: (user + system) / 1e6, trackers }));
