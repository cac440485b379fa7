/** A worker's answer to a job. */
type Answer<Result> = { readonly result: Result } | { readonly error: string };

/** How {@linkcode runJobs} runs. */
export interface RunJobsOptions<Job, Result> {
  /** Module that calls {@linkcode serveJobs}; the name of its worker is its number, from 0. */
  readonly worker: URL;
  /** Threads; 0 runs the jobs in this one. */
  readonly workers: number;
  /** The same work in this thread. */
  readonly run: (job: Job) => Result | Promise<Result>;
  /** Yields results in the order of the jobs; false, as they come. */
  readonly inOrder?: boolean;
}

/** Jobs that a thread has been given and not answered: one at work, one to go on with. */
const JOBS_A_THREAD = 2;

/**
 * Runs jobs on worker threads and yields results. Jobs are taken from the stream only when a thread
 * has room, so memory stays bounded.
 *
 * @throws {Error} If a job throws or a worker fails; the others are stopped.
 */
export async function* runJobs<Job, Result>(
  jobs: AsyncIterable<Job>,
  { worker, workers, run, inOrder = false }: RunJobsOptions<Job, Result>,
): AsyncGenerator<Result> {
  if (workers === 0) {
    for await (const job of jobs) yield await run(job);
    return;
  }
  const threads = Array.from({ length: workers }, (_, i) => new JobThread<Job, Result>(worker, i));
  const running = new Map<number, Promise<{ place: number; result: Result }>>();
  const finishOne = async () => {
    const [first] = running.values();
    const { place, result } = await (inOrder ? first : Promise.race(running.values()));
    running.delete(place);
    return result;
  };
  try {
    let place = 0;
    for await (const job of jobs) {
      while (running.size >= workers * JOBS_A_THREAD) yield await finishOne();
      const thread = threads.reduce((best, one) => one.waiting < best.waiting ? one : best);
      const here = place++;
      const answer = thread.ask(job).then((result) => ({ place: here, result }));
      answer.catch(() => {}); // it is looked at later; until then it is not "unhandled"
      running.set(here, answer);
    }
    while (running.size > 0) yield await finishOne();
  } finally {
    for (const thread of threads) thread.stop();
  }
}

/** A worker that answers jobs in their order. */
class JobThread<Job, Result> {
  readonly #worker: Worker;
  readonly #waiting: PromiseWithResolvers<Result>[] = [];
  #failure?: Error;

  constructor(module: URL, index: number) {
    this.#worker = new Worker(module, { type: "module", name: String(index) });
    this.#worker.onmessage = ({ data }: MessageEvent<Answer<Result>>) => {
      const { resolve, reject } = this.#waiting.shift()!;
      if ("error" in data) reject(new Error(data.error));
      else resolve(data.result);
    };
    this.#worker.onerror = (event) => {
      event.preventDefault(); // else the error ends the process as well
      this.#failure = new Error(`Cannot go on: a worker failed: ${event.message}`);
      for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
    };
  }

  /** Jobs without an answer. */
  get waiting(): number {
    return this.#waiting.length;
  }

  ask(job: Job): Promise<Result> {
    if (this.#failure) return Promise.reject(this.#failure);
    const answer = Promise.withResolvers<Result>();
    this.#waiting.push(answer);
    this.#worker.postMessage(job);
    return answer.promise;
  }

  stop(): void {
    this.#worker.terminate();
  }
}

/**
 * The worker's side of {@linkcode runJobs}: answers each job, one after the other.
 *
 * @param transfer The buffers of a result that are handed over instead of copied.
 */
export function serveJobs<Job, Result>(
  run: (job: Job) => Result | Promise<Result>,
  transfer: (result: Result) => Transferable[] = () => [],
): void {
  const scope = self as unknown as Worker;
  let last: Promise<void> = Promise.resolve();
  const answer = async (job: Job) => {
    try {
      const result = await run(job);
      scope.postMessage({ result } satisfies Answer<Result>, transfer(result));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      scope.postMessage({ error: reason } satisfies Answer<Result>);
    }
  };
  scope.onmessage = ({ data }: MessageEvent<Job>) => {
    last = last.then(() => answer(data));
  };
}
