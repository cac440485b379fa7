/** Places in the shared numbers: next ticket, first ticket not to take yet, then two a slot. */
const NEXT = 0, LIMIT = 1, SLOTS = 2;

/**
 * Tickets that threads take one by one, in shared memory. A ticket is a sample; `batchSize` tickets
 * in a row are a batch, and batches take the slots in turn. Nobody ever blocks on it: a thread that
 * finds no ticket goes back to its event loop.
 */
export class WorkQueue {
  readonly memory: SharedArrayBuffer;
  readonly batchSize: number;
  readonly slots: number;
  readonly #numbers: Int32Array;

  constructor(
    { batchSize, slots, memory = new SharedArrayBuffer(4 * (SLOTS + 2 * slots)) }: {
      batchSize: number;
      slots: number;
      memory?: SharedArrayBuffer;
    },
  ) {
    this.memory = memory;
    this.batchSize = batchSize;
    this.slots = slots;
    this.#numbers = new Int32Array(memory);
  }

  /** Allows the tickets of the batches before this one, batches counted from the queue's start. */
  allowUntil(batch: number): void {
    Atomics.store(this.#numbers, LIMIT, batch * this.batchSize);
  }

  /** Takes a ticket; undefined if there is none now. */
  take(): { batch: number; place: number } | undefined {
    for (let ticket = Atomics.load(this.#numbers, NEXT);;) {
      if (ticket >= Atomics.load(this.#numbers, LIMIT)) return undefined;
      const seen = Atomics.compareExchange(this.#numbers, NEXT, ticket, ticket + 1);
      if (seen === ticket) {
        return { batch: Math.floor(ticket / this.batchSize), place: ticket % this.batchSize };
      }
      ticket = seen;
    }
  }

  /** Says that a sample is there, or has failed; true if it was the last one of its batch. */
  finish(batch: number, failed: boolean): boolean {
    const at = SLOTS + 2 * (batch % this.slots);
    if (failed) Atomics.add(this.#numbers, at + 1, 1);
    return Atomics.add(this.#numbers, at, 1) === this.batchSize - 1;
  }

  /** How a batch in a slot stands. */
  state(batch: number): { complete: boolean; failed: number } {
    const at = SLOTS + 2 * (batch % this.slots);
    const complete = Atomics.load(this.#numbers, at) === this.batchSize;
    return { complete, failed: Atomics.load(this.#numbers, at + 1) };
  }

  /** Makes the slot of a batch ready for the next one. */
  clear(batch: number): void {
    const at = SLOTS + 2 * (batch % this.slots);
    Atomics.store(this.#numbers, at + 1, 0);
    Atomics.store(this.#numbers, at, 0);
  }
}
