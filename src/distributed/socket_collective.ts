import type { Collective } from "../collective.ts";
import { type Socket, SocketError } from "./bindings/sockets.ts";
import { type MeetingPlace, reachFirst, receiveOthers, type Seat } from "./rendezvous.ts";

/** What a message is about. */
const KIND = { sum: 1, broadcast: 2, gone: 3 } as const;
type Kind = keyof typeof KIND;

/** Seconds that a rank has to hear that the job ends. */
const LAST_PATIENCE = 5;

/**
 * Processes joined by a connection of each to rank 0, which adds up in the order of the ranks. It needs no
 * library; MPI is faster for large models on CPUs, and NCCL takes over the gradients on GPUs.
 */
export class SocketCollective implements Collective {
  readonly rank: number;
  readonly size: number;
  readonly localRank: number;
  readonly localSize: number;
  /** Of rank 0 to all others in order; of others to rank 0 alone. */
  readonly #sockets: readonly Socket[];
  #seconds = 0;
  #left = false;

  /** Joins the job; blocks until all ranks do. */
  constructor(
    place: MeetingPlace,
    seat: Seat & Pick<Collective, "localRank" | "localSize">,
    patience?: number,
  ) {
    this.rank = seat.rank;
    this.size = seat.size;
    this.localRank = seat.localRank;
    this.localSize = seat.localSize;
    this.#sockets = seat.rank === 0
      ? receiveOthers(place, seat, patience)
      : [reachFirst(place, seat, patience)];
  }

  get seconds(): number {
    return this.#seconds;
  }

  sum(values: Float32Array | Float64Array): void {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.#timed(() => {
      if (this.rank > 0) {
        this.#send("sum", bytes);
        this.#receive("sum", bytes);
        return;
      }
      const theirs = values.slice(), received = new Uint8Array(theirs.buffer);
      for (let rank = 1; rank < this.size; rank++) {
        this.#receive("sum", received, rank);
        for (let i = 0; i < values.length; i++) values[i] += theirs[i];
      }
      this.#sendAll("sum", bytes);
    });
  }

  broadcast(bytes: Uint8Array, root = 0): void {
    this.#timed(() => {
      if (this.rank > 0) {
        if (this.rank === root) this.#send("broadcast", bytes);
        else this.#receive("broadcast", bytes);
        return;
      }
      if (root > 0) this.#receive("broadcast", bytes, root);
      this.#sendAll("broadcast", bytes, root);
    });
  }

  #timed(run: () => void): void {
    const started = performance.now();
    run();
    this.#seconds += (performance.now() - started) / 1000;
  }

  #sendAll(kind: Kind, bytes: Uint8Array, but = 0): void {
    for (let rank = 1; rank < this.size; rank++) if (rank !== but) this.#send(kind, bytes, rank);
  }

  #send(kind: Kind, bytes: Uint8Array, rank = 0): void {
    this.#speak(rank, (socket) => {
      socket.send(header(kind, bytes.length));
      socket.send(bytes);
    });
  }

  #receive(kind: Kind, bytes: Uint8Array, rank = 0): void {
    this.#speak(rank, (socket) => {
      const told = new Uint8Array(8);
      socket.receive(told);
      const [number, length] = new Uint32Array(told.buffer);
      if (number === KIND.gone) throw this.#gone(length);
      if (number !== KIND[kind] || length !== bytes.length) {
        throw new Error(
          `Cannot go on: rank ${rank} sends ${length} bytes of kind ${number}, expected ` +
            `${bytes.length} of kind ${
              KIND[kind]
            }; start the same program with the same experiment ` +
            "on all ranks",
        );
      }
      socket.receive(bytes);
    });
  }

  /** Talks to a rank; if it is gone, all are told. */
  #speak(rank: number, run: (socket: Socket) => void): void {
    try {
      run(this.#sockets[this.rank === 0 ? rank - 1 : 0]);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      this.#tellGone(rank);
      throw this.#gone(rank, error);
    }
  }

  #tellGone(rank: number): void {
    if (this.rank > 0) return;
    for (const [i, socket] of this.#sockets.entries()) {
      if (i + 1 === rank) continue;
      try {
        socket.send(header("gone", rank));
        // What it is sending must be heard to its end, or it would never come to hear this.
        socket.drain(LAST_PATIENCE);
      } catch (error) {
        if (!(error instanceof SocketError)) throw error;
      }
    }
  }

  #gone(rank: number, cause?: Error): Error {
    return new Error(
      `rank ${rank} has left the job; what it said itself tells why, or nothing if it was killed`,
      { cause },
    );
  }

  /** Leaves the job; blocks until all ranks do. */
  [Symbol.dispose](): void {
    if (this.#left) return;
    this.#left = true;
    this.sum(new Float64Array(1));
    for (const socket of this.#sockets) socket[Symbol.dispose]();
  }
}

function header(kind: Kind, number: number): Uint8Array {
  return new Uint8Array(Uint32Array.of(KIND[kind], number).buffer);
}
