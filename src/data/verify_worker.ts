/** Looks at crops on a thread of its own; see verify.ts. */
import { serveJobs } from "./run_jobs.ts";
import { CropChecker } from "./verify_job.ts";

const checker = new CropChecker();
serveJobs(checker.run.bind(checker));
