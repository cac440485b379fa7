/** A worker of the loader that dies after some pictures, by an error that nothing catches. */
import "../../src/data/loader_worker.ts";
import { Rng } from "../../src/random.ts";

/** Pictures that a thread reads before it dies. */
const [LEAST, MOST] = [20, 120];

// The environment is one for all threads: each takes the next number.
const thread = Number(Deno.env.get("SIAMBAN_SOAK_THREAD") ?? 0);
Deno.env.set("SIAMBAN_SOAK_THREAD", String(thread + 1));
const rng = new Rng(Number(Deno.env.get("SIAMBAN_SOAK_SEED") ?? 0), thread);

let left = LEAST + rng.integer(MOST - LEAST);
const read = Deno.readFileSync;
Deno.readFileSync = (path) => {
  if (--left === 0) {
    queueMicrotask(() => {
      throw new Error("killed by the soak");
    });
  }
  return read(path);
};
