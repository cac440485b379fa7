import type { Collective } from "../collective.ts";
import type { Mpi } from "./bindings/mpi.ts";

/** Elements of one call at most, whose count is an int. */
const MOST_ELEMENTS = 1 << 28;

/** Processes joined by MPI. */
export class MpiCollective implements Collective {
  readonly rank: number;
  readonly size: number;
  readonly localRank: number;
  readonly localSize: number;
  readonly #mpi: Mpi;
  #seconds = 0;
  #left = false;

  /** Joins the job; blocks until all ranks do. */
  constructor(
    mpi: Mpi,
    { localRank, localSize }: Pick<Collective, "localRank" | "localSize">,
  ) {
    mpi.init();
    this.#mpi = mpi;
    this.rank = mpi.rank();
    this.size = mpi.size();
    this.localRank = localRank;
    this.localSize = localSize;
  }

  get seconds(): number {
    return this.#seconds;
  }

  sum(values: Float32Array | Float64Array): void {
    this.#inParts(values, (part) => this.#mpi.sum(part));
  }

  broadcast(bytes: Uint8Array, root = 0): void {
    this.#inParts(bytes, (part) => this.#mpi.broadcast(part, root));
  }

  #inParts<T extends Float32Array | Float64Array | Uint8Array>(
    values: T,
    call: (part: T) => void,
  ): void {
    const started = performance.now();
    for (let from = 0; from < values.length; from += MOST_ELEMENTS) {
      call(values.subarray(from, from + MOST_ELEMENTS) as T);
    }
    this.#seconds += (performance.now() - started) / 1000;
  }

  /** Leaves the job; blocks until all ranks do. */
  [Symbol.dispose](): void {
    if (this.#left) return;
    this.#left = true;
    this.#mpi.finalize();
  }
}
