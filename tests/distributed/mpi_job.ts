/** Programs on several processes, for tests. */
const exists = async (program: string) =>
  await new Deno.Command(program, { args: ["--version"], stdout: "null", stderr: "null" })
    .output().then(({ success }) => success, () => false);

/** Whether jobs can be started here; tests that need one are ignored otherwise. */
export const hasMpirun = await exists("mpirun");

/** What a job did. */
export interface JobResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Arguments of mpirun for a job on this machine, however few cores it has. */
function launch(ranks: number): string[] {
  const root = Deno.uid() === 0 ? ["--allow-run-as-root"] : [];
  return [...root, "--oversubscribe", "--bind-to", "none", "-n", String(ranks)];
}

/** A Deno program, to be started on so many ranks. */
export function jobCommand(ranks: number, args: readonly string[]): Deno.Command {
  return new Deno.Command("mpirun", {
    args: [...launch(ranks), Deno.execPath(), ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    // Waiting ranks leave the cores to those that work.
    env: { NO_COLOR: "1", OMPI_MCA_mpi_yield_when_idle: "1", GOMP_SPINCOUNT: "0" },
  });
}

/** Runs a Deno program on so many ranks, to its end. */
export async function runJob(ranks: number, args: readonly string[]): Promise<JobResult> {
  const { code, stdout, stderr } = await jobCommand(ranks, args).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err };
}
