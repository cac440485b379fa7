import { execute as executeProgram, type Execution } from "../../ffi/compile.ts";

/** How {@linkcode installPackages} reaches apt; all of it is for tests to replace. */
export interface AptOptions {
  /** Whether apt may be asked directly, not through sudo. */
  readonly isRoot?: boolean;
  /** Runs a program to its end. */
  readonly execute?: (program: string, args: readonly string[]) => Promise<Execution>;
}

/** Seconds to wait for another program that installs something. */
const LOCK_SECONDS = 120;

/**
 * Installs Debian packages through apt-get, as root or with sudo where that asks nobody.
 *
 * @throws {Error} If that fails, with apt's own last words and what to do.
 */
export async function installPackages(
  packages: readonly string[],
  { isRoot = Deno.uid() === 0, execute }: AptOptions = {},
): Promise<void> {
  const remedy = `run this as root: apt-get update && apt-get install ${packages.join(" ")}`;
  const run = execute ?? ((program, args) => executeProgram(program, args, remedy));
  const apt = (...args: string[]) => {
    const all = ["-o", `DPkg::Lock::Timeout=${LOCK_SECONDS}`, ...args];
    return isRoot ? run("apt-get", all) : run("sudo", ["--non-interactive", "apt-get", ...all]);
  };
  const install = () => apt("install", "--yes", "--no-install-recommends", ...packages);
  if ((await install()).code === 0) return;
  // Where lists of packages were never fetched nothing is known; old ones name files that are gone.
  const update = await apt("-o", "Acquire::http::Timeout=20", "update");
  const { code, stderr } = await install();
  if (code === 0) return;
  const words = [lastWords(stderr), lastWords(update.stderr)].filter((text) => text !== "");
  throw new Error(
    `Cannot install ${packages.join(" and ")}: ${words.join(", and of its lists ")}; ${remedy}`,
  );
}

/** What a program complained of last, as a quotation; apt marks errors with E: and warnings with W:. */
function lastWords(stderr: string): string {
  const lines = stderr.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  const said = lines.findLast((line) => line.startsWith("E: ")) ?? lines.at(-1);
  return said === undefined ? "" : `apt-get says "${said}"`;
}
