import type { MpiFlavour } from "./bindings/mpi.ts";

/** How this process was started beside others. */
export type Launch =
  | { readonly kind: "alone" }
  | {
    readonly kind: "mpi";
    /** Libraries that fit the launcher, best first. */
    readonly flavours: readonly MpiFlavour[];
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

/** The variables that {@linkcode findLaunch} looks at, and no others. */
export function readLaunchEnvironment(): Environment {
  const names = LAUNCHERS.flatMap(({ size, localRank, localSize }) => [size, localRank, localSize]);
  return Object.fromEntries(
    [...names, "RANK", "WORLD_SIZE"].map((name) => [name, Deno.env.get(name)]),
  );
}

/**
 * Tells from the environment whether a launcher has started this process as one of several.
 *
 * @throws {Error} If torchrun has, but no MPI launcher.
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
  const { RANK, WORLD_SIZE } = environment;
  if (RANK === undefined || number("WORLD_SIZE") < 2) return { kind: "alone" };
  throw new Error(
    `Cannot join the other processes: RANK is ${RANK} and WORLD_SIZE ${WORLD_SIZE}, expected an MPI ` +
      `launcher too, start with "mpirun -n ${WORLD_SIZE} npx -y deno task train …", or unset both to ` +
      "train alone",
  );
}
