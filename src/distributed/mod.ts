/** Joining processes that train one model together. */
import { ALONE, type Collective } from "../collective.ts";
import { openMpi } from "./bindings/mpi.ts";
import { type Environment, findLaunch, readLaunchEnvironment } from "./launcher.ts";
import { MpiCollective } from "./mpi_collective.ts";
import { SocketCollective } from "./socket_collective.ts";

/**
 * Joins the processes that a launcher (mpirun, srun, torchrun) has started with this one; alone without one, and
 * then nothing is opened.
 *
 * Dispose of the result only when all went well: it waits for the other ranks. A process that ends
 * without, with a status other than 0, makes the launcher end all others.
 *
 * @throws {Error} If there is a launcher but MPI is missing, or the ranks do not find each other; with the remedy.
 */
export function joinProcesses(environment: Environment = readLaunchEnvironment()): Collective {
  const launch = findLaunch(environment);
  if (launch.kind === "alone") return ALONE;
  if (launch.kind === "sockets") return new SocketCollective(launch.place, launch);
  return new MpiCollective(openMpi(launch.flavours), launch);
}
