/** Where processes find each other that no MPI launcher has joined. */
import { connect, Listener, type Socket, SocketError } from "./bindings/sockets.ts";

/** A place to meet. */
export type MeetingPlace =
  /** Rank 0 listens there. */
  | { readonly kind: "port"; readonly host: string; readonly port: number }
  /** Rank 0 listens at any port of its machine, and writes which to a file that all can read. */
  | { readonly kind: "file"; readonly path: string; readonly host: string };

/** Which of the processes this is. */
export interface Seat {
  readonly rank: number;
  readonly size: number;
}

/** Seconds that ranks wait for each other at the start. */
const PATIENCE = 300;
/** Seconds that a connection has for its greeting. */
const GREETING_PATIENCE = 5;
/** Between two tries. */
const RETRY_MILLISECONDS = 100;

const MAGIC = 0x4e414253; // "SBAN" as bytes
/** Magic number, token, rank, number of ranks. */
const GREETING_NUMBERS = 4;

/** What a file says of rank 0. */
interface Notice {
  readonly host: string;
  readonly port: number;
  /** Tells this job from others, also from earlier ones that left their file behind. */
  readonly token: number;
}

/**
 * Rank 0's connections to all others, by rank.
 *
 * @throws {Error} If they do not all come in time, or one comes twice.
 */
export function receiveOthers(place: MeetingPlace, { size }: Seat, patience = PATIENCE): Socket[] {
  const token = place.kind === "file" ? crypto.getRandomValues(new Uint32Array(1))[0] : 0;
  using listener = listen(place);
  if (place.kind === "file") {
    writeNotice(place.path, { host: place.host, port: listener.port, token });
  }
  const sockets = new Map<number, Socket>();
  const end = performance.now() + 1000 * patience;
  while (sockets.size < size - 1) {
    const left = (end - performance.now()) / 1000;
    const missing = () => ranksBut(sockets, size).join(", ");
    if (left <= 0) throw cannotJoin(`rank ${missing()} of ${size} did not come in ${patience} s`);
    const socket = listener.accept(left);
    const rank = socket && greetedRank(socket, token, size);
    if (!socket || rank === undefined) {
      socket?.[Symbol.dispose]();
      continue;
    }
    if (sockets.has(rank)) {
      throw cannotJoin(`rank ${rank} came twice, expected RANK 0 to ${size - 1}`);
    }
    sockets.set(rank, socket);
  }
  for (const socket of sockets.values()) socket.send(bytesOf([MAGIC]));
  if (place.kind === "file") Deno.removeSync(place.path);
  return Array.from({ length: size - 1 }, (_, i) => sockets.get(i + 1)!);
}

/**
 * Another rank's connection to rank 0.
 *
 * @throws {Error} If rank 0 cannot be reached in time.
 */
export function reachFirst(place: MeetingPlace, seat: Seat, patience = PATIENCE): Socket {
  const end = performance.now() + 1000 * patience;
  for (let reason = "it has not written its file";; pause()) {
    const notice = place.kind === "port" ? { ...place, token: 0 } : readNotice(place.path);
    try {
      if (notice) return greet(connect(notice.host, notice.port), notice.token, seat, end);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      reason = error.message;
    }
    if (performance.now() > end) {
      throw cannotJoin(`rank ${seat.rank} did not reach rank 0 at ${describe(place)}: ${reason}`);
    }
  }
}

function listen(place: MeetingPlace): Listener {
  const { host } = place, port = place.kind === "port" ? place.port : 0;
  // What is meant for this machine alone is not offered to others.
  const isLocal = /^(127\.|::1$|localhost$)/.test(host);
  try {
    return new Listener(isLocal ? host : null, port);
  } catch (error) {
    if (!(error instanceof SocketError)) throw error;
    throw cannotJoin(`rank 0 cannot listen at port ${port}: ${error.message}`);
  }
}

/** The rank of a process of this job; nothing for a stranger. */
function greetedRank(socket: Socket, token: number, size: number): number | undefined {
  const bytes = new Uint8Array(4 * GREETING_NUMBERS);
  try {
    socket.setPatience(GREETING_PATIENCE);
    socket.receive(bytes);
    socket.setPatience(0);
  } catch (error) {
    if (error instanceof SocketError) return undefined;
    throw error;
  }
  const [magic, theirs, rank, theirSize] = new Uint32Array(bytes.buffer);
  if (magic !== MAGIC || theirs !== token) return undefined;
  socket.send(bytesOf([MAGIC]));
  if (theirSize === size && rank > 0 && rank < size) return rank;
  throw cannotJoin(`rank ${rank} of ${theirSize} came, expected ranks of ${size}`);
}

function greet(socket: Socket, token: number, { rank, size }: Seat, end: number): Socket {
  const hear = (seconds: number) => {
    const answer = new Uint8Array(4);
    socket.setPatience(Math.max(1, Math.ceil(seconds)));
    socket.receive(answer);
    if (new Uint32Array(answer.buffer)[0] === MAGIC) return;
    throw new SocketError("another program listens there");
  };
  try {
    socket.send(bytesOf([MAGIC, token, rank, size]));
    hear(GREETING_PATIENCE);
    hear((end - performance.now()) / 1000); // until all have come
    socket.setPatience(0);
    return socket;
  } catch (error) {
    socket[Symbol.dispose]();
    throw error;
  }
}

function writeNotice(path: string, notice: Notice): void {
  const partial = `${path}.${notice.token}.partial`;
  try {
    Deno.writeTextFileSync(partial, JSON.stringify(notice), { mode: 0o600 });
    Deno.renameSync(partial, path);
  } catch (cause) {
    throw cannotJoin(`rank 0 cannot write "${path}": ${(cause as Error).message}`);
  }
}

function readNotice(path: string): Notice | undefined {
  try {
    const { host, port, token } = JSON.parse(Deno.readTextFileSync(path));
    if (typeof host !== "string" || !Number.isInteger(port) || !Number.isInteger(token)) return;
    return { host, port, token };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

function describe(place: MeetingPlace): string {
  return place.kind === "port" ? `${place.host}:${place.port}` : `the place in "${place.path}"`;
}

function ranksBut(sockets: ReadonlyMap<number, Socket>, size: number): number[] {
  return Array.from({ length: size - 1 }, (_, i) => i + 1).filter((rank) => !sockets.has(rank));
}

function bytesOf(numbers: readonly number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(numbers).buffer);
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_MILLISECONDS);
}

function cannotJoin(reason: string): Error {
  return new Error(
    `Cannot join the other processes: ${reason}; check RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT ` +
      "of all, or name a file in SIAMBAN_RENDEZVOUS that all can read",
  );
}
