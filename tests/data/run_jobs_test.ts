import { assertEquals, assertRejects } from "@std/assert";
import { runJobs } from "../../src/data/run_jobs.ts";

const worker = new URL("../fixtures/data/square_worker.ts", import.meta.url);

/** Numbers; counts how many were taken. */
class Numbers {
  taken = 0;
  async *until(end: number): AsyncGenerator<number> {
    for (let i = 0; i < end; i++) {
      this.taken++;
      yield await Promise.resolve(i);
    }
  }
}

const run = (n: number) => n * n;

for (const workers of [0, 2]) {
  Deno.test(`runJobs() does every job once, with ${workers} workers`, async () => {
    const results = await Array.fromAsync(
      runJobs(new Numbers().until(50), { worker, workers, run }),
    );
    assertEquals(results.toSorted((a, b) => a - b), Array.from({ length: 50 }, (_, i) => i * i));
  });
}

Deno.test("runJobs() takes jobs only when a thread has room, and stops with the loop", async () => {
  const numbers = new Numbers();
  for await (const _ of runJobs(numbers.until(1000), { worker, workers: 2, run })) break;
  assertEquals(numbers.taken, 5); // two a thread, and one in hand
});

Deno.test("runJobs() keeps the order of the jobs when told", async () => {
  const jobs = new Numbers().until(50);
  const results = await Array.fromAsync(runJobs(jobs, { worker, workers: 2, run, inOrder: true }));
  assertEquals(results, Array.from({ length: 50 }, (_, i) => i * i));
});

Deno.test("runJobs() passes on an error of a job, and of a worker", async () => {
  const jobs = (job: number) =>
    runJobs(
      (async function* () {
        yield await Promise.resolve(job);
      })(),
      { worker, workers: 1, run },
    );
  await assertRejects(() => jobs(-1).next(), Error, "Cannot take the square of -1");
  await assertRejects(() => jobs(-2).next(), Error, "a worker failed");
});
