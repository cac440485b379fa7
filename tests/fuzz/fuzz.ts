/** Fuzzes a target from outside: starts the worker, and ends it where it hangs. */
import { caseOf, LIMITS, loadTarget } from "./engine.ts";
import { foundCases } from "./found_cases.ts";
import type { Answer, Order } from "./fuzz_worker.ts";
import type { Target } from "./target.ts";

/** A case that a parser did not stand. */
export interface Fault {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly fault: string;
}

/** What fuzzing a target came to. */
export interface FuzzReport {
  readonly runs: number;
  readonly parsed: number;
  readonly refused: number;
  readonly faults: readonly Fault[];
  readonly seconds: number;
}

/** How a target is fuzzed. */
export interface FuzzOptions {
  readonly seed: number;
  /** Mutated cases; the corpus and the found ones are run first. */
  readonly runs: number;
  /** An empty folder, the only one that may be written to. */
  readonly folder: string;
  /** Where fuzzing stops; 20. */
  readonly maxFaults?: number;
}

/** Runs the corpus, the found cases and mutated ones. */
export async function fuzz(target: Target, options: FuzzOptions): Promise<FuzzReport> {
  const { seed, runs, folder, maxFaults = 20 } = options;
  const loaded = await loadTarget(target, await foundCases(target.name));
  const start = performance.now();
  const faults: Fault[] = [];
  let parsed = 0, refused = 0;
  const bytesOf = (index: number) =>
    index < 0 ? loaded.corpus.at(index)! : caseOf(loaded, seed, index);
  for (let from = -loaded.corpus.length; from < runs && faults.length < maxFaults;) {
    const part = await runWorker(
      { target: target.name, seed, from, to: runs, folder },
      (answer) => {
        faults.push({ bytes: bytesOf(answer.index), fault: answer.fault });
      },
    );
    parsed += part.parsed;
    refused += part.refused;
    from = part.next;
  }
  const seconds = (performance.now() - start) / 1000;
  return { runs: runs + loaded.corpus.length, parsed, refused, faults, seconds };
}

interface Part {
  readonly parsed: number;
  readonly refused: number;
  /** The first case that was not run. */
  readonly next: number;
}

/** Of the watchdog: twice what a case may take, and a little for the start. */
const PATIENCE_MS = 4000 * LIMITS.seconds;

function runWorker(
  order: Omit<Order, "progress">,
  onFault: (fault: Answer & { kind: "fault" }) => void,
): Promise<Part> {
  const progress = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(new URL("./fuzz_worker.ts", import.meta.url), { type: "module" });
  const { promise, resolve } = Promise.withResolvers<Part>();
  let seen = -1;
  const watchdog = setInterval(() => {
    const count = Atomics.load(progress, 1);
    if (count !== seen) return void (seen = count);
    end("it does not end");
  }, PATIENCE_MS);
  const end = (fault: string) => {
    clearInterval(watchdog);
    const index = Atomics.load(progress, 0);
    onFault({ kind: "fault", index, fault });
    worker.terminate();
    resolve({ parsed: 0, refused: 0, next: index + 1 });
  };
  worker.onerror = (event) => {
    event.preventDefault();
    end(`it ends the thread: ${event.message}`);
  };
  worker.onmessage = ({ data }: MessageEvent<Answer>) => {
    if (data.kind === "fault") return onFault(data);
    clearInterval(watchdog);
    worker.terminate();
    resolve({ ...data, next: order.to });
  };
  worker.postMessage({ ...order, progress });
  return promise;
}
