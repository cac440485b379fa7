/** Cuts crops on a thread of its own; see prepare.ts. */
import { CropRunner } from "./crop_job.ts";
import { serveJobs } from "./run_jobs.ts";

const runner = new CropRunner();
serveJobs(runner.run.bind(runner));
