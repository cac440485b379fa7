/** MPI-3 in the two forms in which its libraries come: Open MPI's, and that of MPICH and its kin. */
import { LibraryNotFoundError, NativeError, openLibrary } from "../../ffi/library.ts";

/** The calls that training needs, with every handle filled in. */
export interface Mpi {
  /** Where the library was found. */
  readonly location: string;
  /** Joins the other processes; only one thread may call MPI afterwards. */
  init(): void;
  /** Leaves; blocks until all ranks do. */
  finalize(): void;
  rank(): number;
  size(): number;
  /** Adds up over all ranks, in place; at most 2³¹ − 1 elements. */
  sum(values: Float32Array | Float64Array): void;
  /** Sends a rank's bytes to all; at most 2³¹ − 1. */
  broadcast(bytes: Uint8Array, root: number): void;
}

/** Kinds of library. */
export type MpiFlavour = "openmpi" | "mpich";

/** Where each kind of library lies, and how to get it. */
const FILES: Readonly<Record<MpiFlavour, { files: readonly string[]; packages: string }>> = {
  openmpi: { files: ["libmpi.so.40", "libmpi.so.80"], packages: "openmpi-bin" },
  // MPICH's ABI is also that of Intel MPI, MVAPICH2 and Cray MPICH.
  mpich: { files: ["libmpich.so.12", "libmpi.so.12"], packages: "mpich" },
};

/**
 * Opens MPI.
 *
 * @param flavours Kinds to try, in this order.
 * @throws {LibraryNotFoundError} If there is none; says what was tried and how to get one.
 */
export function openMpi(flavours: readonly MpiFlavour[]): Mpi {
  const open = { openmpi: openOpenMpi, mpich: openMpich };
  const failures: LibraryNotFoundError[] = [];
  for (const flavour of flavours) {
    try {
      return open[flavour]();
    } catch (error) {
      if (!(error instanceof LibraryNotFoundError)) throw error;
      failures.push(error);
    }
  }
  throw failures[0];
}

function optionsOf(flavour: MpiFlavour) {
  const { files, packages } = FILES[flavour];
  return {
    name: "MPI",
    files,
    env: "SIAMBAN_MPI",
    remedy: `install it with "apt install ${packages}" or name its file in SIAMBAN_MPI`,
  };
}

/** A communicator, type or operation: an address in Open MPI, a number in MPICH. */
const symbolsFor = <const H extends "pointer" | "i32">(handle: H) => ({
  MPI_Init_thread: { parameters: ["pointer", "pointer", "i32", "buffer"], result: "i32" }, // int *argc, char ***argv, int required, int *provided
  MPI_Finalize: { parameters: [], result: "i32" },
  MPI_Comm_rank: { parameters: [handle, "buffer"], result: "i32" }, // MPI_Comm, int *rank
  MPI_Comm_size: { parameters: [handle, "buffer"], result: "i32" }, // MPI_Comm, int *size
  MPI_Allreduce: {
    parameters: ["pointer", "buffer", "i32", handle, handle, handle],
    result: "i32",
  }, // const void *send, void *receive, int count, MPI_Datatype, MPI_Op, MPI_Comm
  MPI_Bcast: { parameters: ["buffer", "i32", handle, "i32", handle], result: "i32" }, // void *buffer, int count, MPI_Datatype, int root, MPI_Comm
} as const satisfies Deno.ForeignLibraryInterface);

const openmpi = openLibrary(optionsOf("openmpi"), {
  ...symbolsFor("pointer"),
  // Handles are the addresses of these.
  ompi_mpi_comm_world: { type: "pointer" },
  ompi_mpi_float: { type: "pointer" },
  ompi_mpi_double: { type: "pointer" },
  ompi_mpi_byte: { type: "pointer" },
  ompi_mpi_op_sum: { type: "pointer" },
});

const mpich = openLibrary(optionsOf("mpich"), symbolsFor("i32"));

/** MPI_THREAD_FUNNELED: only the thread that starts MPI calls it. */
const FUNNELED = 1;

/** What a library's calls are given; `H` is the type of its handles. */
interface Handles<H> {
  readonly inPlace: Deno.PointerValue;
  readonly world: H;
  readonly float: H;
  readonly double: H;
  readonly byte: H;
  readonly add: H;
}

function openOpenMpi(): Mpi {
  const symbols = openmpi();
  return bind(openmpi.location(), symbols, {
    inPlace: Deno.UnsafePointer.create(1n),
    world: symbols.ompi_mpi_comm_world as Deno.PointerValue,
    float: symbols.ompi_mpi_float as Deno.PointerValue,
    double: symbols.ompi_mpi_double as Deno.PointerValue,
    byte: symbols.ompi_mpi_byte as Deno.PointerValue,
    add: symbols.ompi_mpi_op_sum as Deno.PointerValue,
  });
}

function openMpich(): Mpi {
  return bind(mpich.location(), mpich(), {
    inPlace: Deno.UnsafePointer.create(2n ** 64n - 1n),
    world: 0x44000000,
    float: 0x4c00040a,
    double: 0x4c00080b,
    byte: 0x4c00010d,
    add: 0x58000003,
  });
}

/** The functions of a library whose handles are of type `H`. */
interface Calls<H> {
  MPI_Init_thread(
    argc: null,
    argv: null,
    required: number,
    provided: Int32Array<ArrayBuffer>,
  ): number;
  MPI_Finalize(): number;
  MPI_Comm_rank(world: H, rank: Int32Array<ArrayBuffer>): number;
  MPI_Comm_size(world: H, size: Int32Array<ArrayBuffer>): number;
  MPI_Allreduce(
    send: Deno.PointerValue,
    receive: BufferSource,
    count: number,
    type: H,
    operation: H,
    world: H,
  ): number;
  MPI_Bcast(buffer: BufferSource, count: number, type: H, root: number, world: H): number;
}

function bind<H>(location: string, calls: Calls<H>, handles: Handles<H>): Mpi {
  const { inPlace, world, float, double, byte, add } = handles;
  const check = (call: keyof Calls<H>, status: number, about = "") => {
    if (status !== 0) throw new NativeError(call, status, about || "MPI refuses it");
  };
  const ask = (call: "MPI_Comm_rank" | "MPI_Comm_size") => {
    const answer = new Int32Array(1);
    check(call, calls[call](world, answer));
    return answer[0];
  };
  return {
    location,
    init: () =>
      check("MPI_Init_thread", calls.MPI_Init_thread(null, null, FUNNELED, new Int32Array(1))),
    finalize: () => check("MPI_Finalize", calls.MPI_Finalize()),
    rank: () => ask("MPI_Comm_rank"),
    size: () => ask("MPI_Comm_size"),
    sum: (values) =>
      check(
        "MPI_Allreduce",
        calls.MPI_Allreduce(
          inPlace,
          values as Float32Array<ArrayBuffer>,
          values.length,
          values instanceof Float32Array ? float : double,
          add,
          world,
        ),
        `${values.length} numbers`,
      ),
    broadcast: (bytes, root) =>
      check(
        "MPI_Bcast",
        calls.MPI_Bcast(bytes as Uint8Array<ArrayBuffer>, bytes.length, byte, root, world),
        `${bytes.length} bytes from rank ${root}`,
      ),
  };
}
