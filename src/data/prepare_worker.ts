/** Cuts crops on a thread of its own; see prepare.ts. */
import { type CropJobResult, CropRunner } from "./crop_job.ts";
import { serveJobs } from "./run_jobs.ts";

const runner = new CropRunner();
serveJobs(runner.run.bind(runner), ({ outcomes }: CropJobResult) =>
  outcomes.flatMap((outcome) => {
    const files = "files" in outcome ? outcome.files : undefined;
    return files ? [files.x.buffer, ...(files.z ? [files.z.buffer] : [])] : [];
  }));
