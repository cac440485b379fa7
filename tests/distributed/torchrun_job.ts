/** Processes that are started as torchrun does, for tests. */
import type { JobResult } from "./mpi_job.ts";

/** A port of this machine that nobody listens at. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}

/** What torchrun tells the processes of one machine. */
export function torchrunEnvironment(ranks: number, port = freePort()): Record<string, string>[] {
  return Array.from({ length: ranks }, (_, rank) => ({
    RANK: String(rank),
    LOCAL_RANK: String(rank),
    WORLD_SIZE: String(ranks),
    LOCAL_WORLD_SIZE: String(ranks),
    MASTER_ADDR: "127.0.0.1",
    MASTER_PORT: String(port),
  }));
}

/** Runs a Deno program on so many ranks, to its end, as torchrun does; the words of all come in order of rank. */
export async function runTorchrunJob(ranks: number, args: readonly string[]): Promise<JobResult> {
  const results = await runInEach(torchrunEnvironment(ranks), args);
  return {
    code: Math.max(...results.map(({ code }) => code)),
    out: results.map(({ out }) => out).join(""),
    err: results.map(({ err }) => err).join(""),
  };
}

/** Runs a Deno program in each of these environments, to the end of all. */
export async function runInEach(
  environments: readonly Record<string, string>[],
  args: readonly string[],
): Promise<JobResult[]> {
  return await Promise.all(environments.map(async (env) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [...args],
      stdin: "null",
      env: { NO_COLOR: "1", ...env },
    }).output();
    const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    return { code, out, err };
  }));
}
