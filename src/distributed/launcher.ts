import type { MpiFlavour } from "./bindings/mpi.ts";
import type { MeetingPlace } from "./rendezvous.ts";

/** How this process was started beside others. */
export type Launch =
  | { readonly kind: "alone" }
  | {
    readonly kind: "mpi";
    /** Libraries that fit the launcher, best first. */
    readonly flavours: readonly MpiFlavour[];
    readonly localRank: number;
    readonly localSize: number;
  }
  /** As torchrun starts processes. */
  | {
    readonly kind: "sockets";
    readonly place: MeetingPlace;
    readonly rank: number;
    readonly size: number;
    readonly localRank: number;
    readonly localSize: number;
  };

/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What each launcher tells the processes that it starts. */
const LAUNCHERS = [
  {
    size: "OMPI_COMM_WORLD_SIZE", // Open MPI's mpirun
    localRank: "OMPI_COMM_WORLD_LOCAL_RANK",
    localSize: "OMPI_COMM_WORLD_LOCAL_SIZE",
    flavours: ["openmpi"],
  },
  {
    size: "PMI_SIZE", // MPICH's mpiexec, srun --mpi=pmi2
    localRank: "MPI_LOCALRANKID",
    localSize: "MPI_LOCALNRANKS",
    flavours: ["mpich", "openmpi"],
  },
  {
    size: "SLURM_STEP_NUM_TASKS", // srun --mpi=pmix
    localRank: "SLURM_LOCALID",
    localSize: "SLURM_STEP_TASKS_PER_NODE",
    flavours: ["openmpi", "mpich"],
  },
] as const;

/** What torchrun tells, and whoever does as it does. */
const TORCHRUN = [
  ...["RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"],
  ...["TORCHELASTIC_USE_AGENT_STORE", "SIAMBAN_RENDEZVOUS"],
];

/** The variables that {@linkcode findLaunch} looks at, and no others. */
export function readLaunchEnvironment(): Environment {
  const names = LAUNCHERS.flatMap(({ size, localRank, localSize }) => [size, localRank, localSize]);
  return Object.fromEntries([...names, ...TORCHRUN].map((name) => [name, Deno.env.get(name)]));
}

/**
 * Tells from the environment whether a launcher has started this process as one of several: an MPI launcher, or
 * one that sets the variables of torchrun.
 *
 * @throws {Error} If variables of torchrun are missing or make no sense.
 */
export function findLaunch(environment: Environment): Launch {
  const number = (name: string) => parseInt(environment[name] ?? "", 10) || 0;
  const launcher = LAUNCHERS.find(({ size }) => number(size) > 1);
  if (launcher) {
    const { flavours, localRank, localSize } = launcher;
    return {
      kind: "mpi",
      flavours,
      localRank: number(localRank),
      localSize: Math.max(1, number(localSize)),
    };
  }
  if (environment.RANK === undefined || number("WORLD_SIZE") < 2) return { kind: "alone" };
  const size = number("WORLD_SIZE");
  const count = (name: string, below: number) => {
    const text = environment[name] ?? "";
    if (/^\d+$/.test(text) && Number(text) < below) return Number(text);
    throw new Error(
      `Cannot join the other processes: ${name} is ${text || "missing"}, expected a whole number ` +
        `below ${below} beside WORLD_SIZE ${size}; start with torchrun or mpirun, or unset WORLD_SIZE ` +
        "to train alone",
    );
  };
  const rank = count("RANK", size), localRank = count("LOCAL_RANK", size);
  // Some launchers do not tell how many processes share the machine: then all may.
  const localSize = number("LOCAL_WORLD_SIZE") || size;
  return { kind: "sockets", place: placeOf(environment, count), rank, size, localRank, localSize };
}

function placeOf(
  environment: Environment,
  count: (name: string, below: number) => number,
): MeetingPlace {
  const { MASTER_ADDR: host = "127.0.0.1", SIAMBAN_RENDEZVOUS: path } = environment;
  if (path) return { kind: "file", path, host };
  // At the port itself torchrun may keep a store of its own.
  const isTaken = environment.TORCHELASTIC_USE_AGENT_STORE === "True";
  return { kind: "port", host, port: count("MASTER_PORT", 65535) + Number(isTaken) };
}
