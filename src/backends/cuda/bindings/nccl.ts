import { NativeHandle } from "../../../ffi/handle.ts";
import { type Library, type LibraryOptions, openLibrary } from "../../../ffi/library.ts";
import { cString } from "../../../ffi/memory.ts";
import { type Checked, checker } from "./status.ts";

/** `ncclUniqueId`, 128 bytes, goes by value. */
const UNIQUE_ID = { struct: Array<"u64">(16).fill("u64") } as const;

const symbols = {
  ncclGetVersion: { parameters: ["buffer"], result: "i32" }, // int *
  ncclGetErrorString: { parameters: ["i32"], result: "pointer" }, // ncclResult_t -> const char *
  ncclGetUniqueId: { parameters: ["buffer"], result: "i32" }, // ncclUniqueId *
  ncclCommInitRank: { parameters: ["buffer", "i32", UNIQUE_ID, "i32"], result: "i32" }, // ncclComm_t *, ranks, id, rank
  ncclCommDestroy: { parameters: ["u64"], result: "i32" }, // ncclComm_t
  ncclCommAbort: { parameters: ["u64"], result: "i32" }, // ncclComm_t
  // send, receive, count, type, operation, communicator, stream
  ncclAllReduce: {
    parameters: ["u64", "u64", "u64", "i32", "i32", "u64", "u64"],
    result: "i32",
  },
  // send, receive, count, type, root, communicator, stream
  ncclBroadcast: {
    parameters: ["u64", "u64", "u64", "i32", "i32", "u64", "u64"],
    result: "i32",
  },
  ncclGroupStart: { parameters: [], result: "i32" },
  ncclGroupEnd: { parameters: [], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

/** Bytes of a unique id. */
export const UNIQUE_ID_BYTES = 128;
/** Element types, with the numbers of `ncclDataType_t`. */
const TYPE = { int32: 2, float32: 7, bfloat16: 9 } as const;
/** `ncclRedOp_t`. */
const OPERATION = { sum: 0, max: 2, average: 4 } as const;

/** What a collective works on. */
export interface CollectiveMemory {
  readonly send: bigint;
  /** May be `send`. */
  readonly receive: bigint;
  readonly count: number;
  readonly type: keyof typeof TYPE;
  readonly stream: bigint;
}

/** `libnccl`: collectives between cards. Every status is checked and named. */
export class Nccl {
  readonly #library: Library<typeof symbols>;
  readonly #check: Checked;

  /** Opens nothing. */
  constructor(places: LibraryOptions) {
    this.#library = openLibrary(places, symbols);
    this.#check = checker((status) => cString(this.#nccl.ncclGetErrorString(status)));
  }

  /** The opened file. */
  get location(): string {
    return this.#library.location();
  }

  get #nccl() {
    return this.#library();
  }

  /** Version, 10 000 · major + 100 · minor + patch. */
  version(): number {
    const cell = new Int32Array(1);
    this.#check("ncclGetVersion", this.#nccl.ncclGetVersion(cell));
    return cell[0];
  }

  /** Makes the id by which ranks find each other; one rank makes it and hands it out. */
  uniqueId(): Uint8Array<ArrayBuffer> {
    const id = new Uint8Array(UNIQUE_ID_BYTES);
    this.#check("ncclGetUniqueId", this.#nccl.ncclGetUniqueId(id));
    return id;
  }

  /** Joins; returns when all ranks have. */
  join(
    id: Uint8Array<ArrayBuffer>,
    { rank, worldSize }: { readonly rank: number; readonly worldSize: number },
  ): NativeHandle {
    return new NativeHandle(
      (out) =>
        this.#check(
          "ncclCommInitRank",
          this.#nccl.ncclCommInitRank(out, worldSize, id, rank),
        ),
      (communicator) => this.#check("ncclCommDestroy", this.#nccl.ncclCommDestroy(communicator)),
    );
  }

  /** Gives up a communicator whose peers are gone. */
  abort(communicator: bigint): void {
    this.#check("ncclCommAbort", this.#nccl.ncclCommAbort(communicator));
  }

  /** Queues a reduction to all ranks. */
  allReduce(
    communicator: bigint,
    { send, receive, count, type, stream }: CollectiveMemory,
    operation: keyof typeof OPERATION = "sum",
  ): void {
    const status = this.#nccl.ncclAllReduce(
      send,
      receive,
      BigInt(count),
      TYPE[type],
      OPERATION[operation],
      communicator,
      stream,
    );
    this.#check("ncclAllReduce", status);
  }

  /** Queues a copy from `root` to all ranks. */
  broadcast(
    communicator: bigint,
    { send, receive, count, type, stream }: CollectiveMemory,
    root = 0,
  ): void {
    const status = this.#nccl.ncclBroadcast(
      send,
      receive,
      BigInt(count),
      TYPE[type],
      root,
      communicator,
      stream,
    );
    this.#check("ncclBroadcast", status);
  }

  /** Runs collectives as one group. */
  group(run: () => void): void {
    this.#check("ncclGroupStart", this.#nccl.ncclGroupStart());
    try {
      run();
    } finally {
      this.#check("ncclGroupEnd", this.#nccl.ncclGroupEnd());
    }
  }
}
