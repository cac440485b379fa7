/** A worker's answer to a job. */
type Answer<Result> = { readonly result: Result } | { readonly error: string };

/** How {@linkcode runJobs} runs. */
export interface RunJobsOptions<Job, Result> {
  /** Module that calls {@linkcode serveJobs}. */
  readonly worker: URL;
  /** Threads; 0 runs the jobs in this one. */
  readonly workers: number;
  /** The same work in this thread. */
  readonly run: (job: Job) => Result | Promise<Result>;
}

/**
 * Runs jobs on worker threads and yields results as they come, in any order. Jobs are taken from
 * the stream only when a thread is free, so its memory stays bounded.
 *
 * @throws {Error} If a job throws or a worker fails; the others are stopped.
 */
export async function* runJobs<Job, Result>(
  jobs: AsyncIterable<Job>,
  { worker, workers, run }: RunJobsOptions<Job, Result>,
): AsyncGenerator<Result> {
  if (workers === 0) {
    for await (const job of jobs) yield await run(job);
    return;
  }
  const idle = Array.from({ length: workers }, () => new Worker(worker, { type: "module" }));
  const all = [...idle];
  const busy = new Map<Worker, Promise<{ thread: Worker; result: Result }>>();
  const finishOne = async () => {
    const { thread, result } = await Promise.race(busy.values());
    busy.delete(thread);
    idle.push(thread);
    return result;
  };
  try {
    for await (const job of jobs) {
      if (idle.length === 0) yield await finishOne();
      const thread = idle.pop()!;
      const answer = ask<Job, Result>(thread, job).then((result) => ({ thread, result }));
      answer.catch(() => {}); // it is looked at later; until then it is not "unhandled"
      busy.set(thread, answer);
    }
    while (busy.size > 0) yield await finishOne();
  } finally {
    for (const thread of all) thread.terminate();
  }
}

function ask<Job, Result>(thread: Worker, job: Job): Promise<Result> {
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  thread.onmessage = ({ data }: MessageEvent<Answer<Result>>) =>
    "error" in data ? reject(new Error(data.error)) : resolve(data.result);
  thread.onerror = (event) => {
    event.preventDefault(); // else the error ends the process as well
    reject(new Error(`Cannot go on: a worker failed: ${event.message}`));
  };
  thread.postMessage(job);
  return promise;
}

/** The worker's side of {@linkcode runJobs}: answers each job. */
export function serveJobs<Job, Result>(run: (job: Job) => Result | Promise<Result>): void {
  const scope = self as unknown as Worker;
  scope.onmessage = async ({ data }: MessageEvent<Job>) => {
    let answer: Answer<Result>;
    try {
      answer = { result: await run(data) };
    } catch (error) {
      answer = { error: error instanceof Error ? error.message : String(error) };
    }
    scope.postMessage(answer);
  };
}
