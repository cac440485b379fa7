/** Tracks sequences on a thread of its own; see run_benchmark.ts. */
import { serveJobs } from "../data/run_jobs.ts";
import { SequenceRunner } from "./run_benchmark.ts";

// The name of a worker is its number: each takes the next GPU, where there are several.
const runner = new SequenceRunner(Number(self.name));
serveJobs(runner.run.bind(runner));
