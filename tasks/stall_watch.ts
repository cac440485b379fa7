/** Says when a step takes far longer than those before it: the thread that trains cannot. */

/** Steps must have taken this many times longer, and at least so many seconds. */
const FACTOR = 10;
const LEAST_SECONDS = 30;

/** What watcher and trainer share. */
interface Shared {
  /** Steps taken so far. */
  readonly steps: Int32Array;
  /** Seconds of a usual step. */
  readonly usual: Float64Array;
}

/** Watches steps from a thread of its own, and prints to standard error when none ends. */
export class StallWatch implements Disposable {
  readonly #shared: Shared;
  readonly #worker: Worker;

  /** @param name Of this process, for the message. */
  constructor(name: string) {
    const memory = new SharedArrayBuffer(16);
    this.#shared = { steps: new Int32Array(memory, 8, 1), usual: new Float64Array(memory, 0, 1) };
    const settings = { name, factor: FACTOR, leastSeconds: LEAST_SECONDS };
    this.#worker = new Worker(new URL("./stall_watch_worker.ts", import.meta.url), {
      type: "module",
    });
    this.#worker.postMessage({ ...this.#shared, ...settings });
  }

  /** Tells of a step that has ended. */
  step(seconds: number): void {
    const { steps, usual } = this.#shared;
    usual[0] = usual[0] === 0 ? seconds : 0.9 * usual[0] + 0.1 * seconds;
    Atomics.add(steps, 0, 1);
  }

  [Symbol.dispose](): void {
    this.#worker.terminate();
  }
}
