/** Tracks sequences on a thread of its own; see run_benchmark.ts. */
import { serveJobs } from "../data/run_jobs.ts";
import { SequenceRunner } from "./run_benchmark.ts";

const runner = new SequenceRunner();
serveJobs(runner.run.bind(runner));
