/** Arithmetic of one native call. */
export interface CallWork {
  /** What kind of work it is, such as `conv 3x3 forward`. */
  readonly op: string;
  /** Multiplications and additions that the definition of the op asks for. */
  readonly flops: number;
}

/** What a processor can do at most, all its threads together. */
export interface Peak {
  /** Float32 operations a second in vector registers. */
  readonly flops: number;
  /** Bytes a second through memory. */
  readonly bytes: number;
}

/** All calls of one kind. */
export interface OpTotals {
  readonly op: string;
  calls: number;
  seconds: number;
  /** By the op's definition: a fast algorithm does fewer. */
  flops: number;
  /** Of the arrays named in the calls, each counted once a call. */
  bytes: number;
}

/** What native code did, by kind of work, and what memory was asked for, since it was made. */
export class CallProfile {
  readonly #ops = new Map<string, OpTotals>();
  readonly #stop: () => void;
  /** Bytes of all arrays that kernels allocated. */
  allocatedBytes = 0;
  /** The part of these for which no idle memory was found. */
  freshBytes = 0;

  /** @param stop Ends the recording. */
  constructor(stop: () => void) {
    this.#stop = stop;
  }

  /** Kinds of work, the slowest first. */
  get ops(): readonly OpTotals[] {
    return [...this.#ops.values()].sort((a, b) => b.seconds - a.seconds);
  }

  /** Calls into native code. */
  get calls(): number {
    return this.ops.reduce((sum, { calls }) => sum + calls, 0);
  }

  /** Seconds in native code. */
  get seconds(): number {
    return this.ops.reduce((sum, { seconds }) => sum + seconds, 0);
  }

  /** Notes one call. */
  record({ op, flops }: CallWork, { seconds, bytes }: { seconds: number; bytes: number }): void {
    let totals = this.#ops.get(op);
    if (totals === undefined) {
      this.#ops.set(op, totals = { op, calls: 0, seconds: 0, flops: 0, bytes: 0 });
    }
    totals.calls++;
    totals.seconds += seconds;
    totals.flops += flops;
    totals.bytes += bytes;
  }

  /** Notes memory that a kernel asked for. */
  recordAllocation(bytes: number, { fresh }: { readonly fresh: boolean }): void {
    this.allocatedBytes += bytes;
    if (fresh) this.freshBytes += bytes;
  }

  /** Ends the recording; what was noted stays readable. */
  stop(): void {
    this.#stop();
  }
}
