/** Places in the shared numbers: first batch under way, first batch not to begin, then the cells. */
const FIRST = 0, LIMIT = 1, CELLS = 2;

/** What a cell says of its sample, beside its batch: nobody's, a worker's (1 and up), made, failed. */
const OPEN = 0, DONE = 254, FAILED = 255;
/** Cells hold `batch * 256 + code`, with as much of the batch as 31 bits leave. */
const CODES = 256, BATCHES = 2 ** 23;

/** A sample to make. */
export interface Ticket {
  /** Counted from the queue's start. */
  readonly batch: number;
  /** In its batch. */
  readonly place: number;
}

/**
 * Who makes which sample, in shared memory: a cell for each sample of the batches under way, which
 * take the slots in turn. Threads claim cells; what a dead thread had claimed is opened again. Nobody
 * ever blocks on it: a thread that finds no open cell goes back to its event loop.
 *
 * A cell names its batch, so that a thread which was late in looking cannot claim a slot's next one.
 */
export class WorkQueue {
  readonly memory: SharedArrayBuffer;
  readonly batchSize: number;
  readonly slots: number;
  readonly #numbers: Int32Array;

  constructor(
    { batchSize, slots, memory }: { batchSize: number; slots: number; memory?: SharedArrayBuffer },
  ) {
    this.memory = memory ?? new SharedArrayBuffer(4 * (CELLS + batchSize * slots));
    this.batchSize = batchSize;
    this.slots = slots;
    this.#numbers = new Int32Array(this.memory);
    if (!memory) { for (let batch = 0; batch < slots; batch++) this.#openAll(batch); }
  }

  /** Allows the batches before this one. */
  allowUntil(batch: number): void {
    Atomics.store(this.#numbers, LIMIT, batch);
  }

  /** Gives the slot of a batch, which nobody needs any more, to the next batch that takes it. */
  release(batch: number): void {
    Atomics.store(this.#numbers, FIRST, batch + 1);
    this.#openAll(batch + this.slots);
  }

  /** Claims a sample, of the earliest batch that has one; undefined if there is none now. */
  take(worker: number): Ticket | undefined {
    const limit = Atomics.load(this.#numbers, LIMIT);
    for (let batch = Atomics.load(this.#numbers, FIRST); batch < limit; batch++) {
      const open = stateOf(batch, OPEN), claimed = stateOf(batch, worker);
      const first = this.#cell(batch, 0);
      for (let place = 0; place < this.batchSize; place++) {
        const cell = first + place;
        if (Atomics.load(this.#numbers, cell) !== open) continue;
        if (Atomics.compareExchange(this.#numbers, cell, open, claimed) === open) {
          return { batch, place };
        }
      }
    }
  }

  /** Says that a sample is there, or has failed; true if its batch is complete. */
  finish({ batch, place }: Ticket, failed: boolean): boolean {
    Atomics.store(this.#numbers, this.#cell(batch, place), stateOf(batch, failed ? FAILED : DONE));
    return this.state(batch).left === 0;
  }

  /** How many samples of a batch are not finished, and how many have failed. */
  state(batch: number): { left: number; failed: number } {
    const done = stateOf(batch, DONE), lost = stateOf(batch, FAILED);
    let left = 0, failed = 0;
    for (let place = 0; place < this.batchSize; place++) {
      const state = Atomics.load(this.#numbers, this.#cell(batch, place));
      if (state === lost) failed++;
      else if (state !== done) left++;
    }
    return { left, failed };
  }

  /** What a worker has claimed and not finished. */
  claimedBy(worker: number): Ticket[] {
    const tickets: Ticket[] = [];
    const limit = Atomics.load(this.#numbers, LIMIT);
    for (let batch = Atomics.load(this.#numbers, FIRST); batch < limit; batch++) {
      for (let place = 0; place < this.batchSize; place++) {
        const state = Atomics.load(this.#numbers, this.#cell(batch, place));
        if (state === stateOf(batch, worker)) tickets.push({ batch, place });
      }
    }
    return tickets;
  }

  /** Opens again what a worker had claimed, which is no more. */
  reopen(worker: number): void {
    for (const { batch, place } of this.claimedBy(worker)) {
      Atomics.store(this.#numbers, this.#cell(batch, place), stateOf(batch, OPEN));
    }
  }

  #openAll(batch: number): void {
    for (let place = 0; place < this.batchSize; place++) {
      Atomics.store(this.#numbers, this.#cell(batch, place), stateOf(batch, OPEN));
    }
  }

  #cell(batch: number, place: number): number {
    return CELLS + (batch % this.slots) * this.batchSize + place;
  }
}

function stateOf(batch: number, code: number): number {
  return (batch % BATCHES) * CODES + code;
}
