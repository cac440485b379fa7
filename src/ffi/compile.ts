import { dirname } from "@std/path";
import { type ProcessorTarget, processorTarget } from "./processor.ts";

/** A shared library that is compiled on the machine that uses it. */
export interface NativeProject {
  /** First part of the file's name, such as `siamban-cpu`. */
  readonly name: string;
  /** Name in messages, such as "the native CPU library". */
  readonly title: string;
  /** Folder of the sources, with a slash at its end; its `.cpp` files are compiled. */
  readonly sources: string;
  /** Folder for the result, unless the environment variable SIAMBAN_BUILD names another. */
  readonly output: string;
  /** But for those that name a processor. */
  readonly compileFlags: readonly string[];
  readonly linkFlags: readonly string[];
  /** Headers of other libraries that tell their version; a new one means a new library. */
  readonly versionHeaders: readonly string[];
  /** What to do when something is missing. */
  readonly remedy: string;
  /** The missing part that a compiler's complaint is about, such as "oneDNN is missing". */
  readonly missing?: (complaint: string) => string | undefined;
}

/** A native library is not compiled on this machine yet, and must not be now. */
export class NotCompiledError extends Error {
  override name = "NotCompiledError";
}

/**
 * Finds the compiled library, or compiles it: some seconds at the first use on a machine. The file's
 * name tells sources, flags, processor and versions, so that a change of any compiles anew, and a
 * folder that was carried here from another machine is of no harm.
 *
 * @param target What to compile for.
 * @param options.mayCompile Whether there is the time to compile.
 * @returns Path of the shared library.
 * @throws {NotCompiledError} If it would have to be compiled, but may not.
 * @throws {Error} If the compiler or a library is missing, or compiling fails; the message names the
 * remedy.
 */
export async function compiledLibrary(
  project: NativeProject,
  target: ProcessorTarget = processorTarget(),
  { mayCompile = true }: { readonly mayCompile?: boolean } = {},
): Promise<string> {
  // Lets a test, or a person in doubt, see what runs without.
  if (Deno.env.get("SIAMBAN_NATIVE") === "off") {
    throw new Error("Cannot use native kernels: SIAMBAN_NATIVE is off, unset it");
  }
  const sources = await readSources(project.sources);
  const folder = Deno.env.get("SIAMBAN_BUILD") ?? project.output;
  const file = `${folder}/${project.name}-${await fingerprint(project, target, sources)}.so`;
  if (!await exists(file)) {
    if (!mayCompile) {
      throw new NotCompiledError(
        `Cannot find ${project.title} in ${folder}: it is not compiled for this processor and these ` +
          'sources, and compiling takes a minute or two, run "deno task build --install" first',
      );
    }
    const units = [...sources.keys()].filter(isUnit);
    await compile(project, { units, file, flags: target.compileFlags });
  }
  return file;
}

/** The C++ compiler to run. */
export function compiler(): string {
  return Deno.env.get("CXX") ?? "g++";
}

function isUnit(name: string): boolean {
  return name.endsWith(".cpp");
}

/** Names and texts of all sources, in order of name. */
async function readSources(folder: string): Promise<Map<string, string>> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) if (isFile) names.push(name);
  const texts = await Promise.all(
    names.sort().map(async (name) => [name, await Deno.readTextFile(folder + name)] as const),
  );
  return new Map(texts);
}

async function fingerprint(
  { compileFlags, linkFlags, versionHeaders }: NativeProject,
  target: ProcessorTarget,
  sources: ReadonlyMap<string, string>,
): Promise<string> {
  const parts = [
    ...[...sources].flat(),
    compiler(),
    ...compileFlags,
    ...linkFlags,
    ...target.compileFlags,
    Deno.build.target,
    target.key,
    ...await Promise.all(versionHeaders.map(readOrEmpty)),
  ];
  const bytes = new TextEncoder().encode(parts.join("\0"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return digest.subarray(0, 8).toHex();
}

async function readOrEmpty(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch {
    return "";
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false; // whatever else is wrong with the place shows when the file is made
  }
}

/** Compiles the units side by side and links them; the file appears whole, whoever else does the same. */
async function compile(
  project: NativeProject,
  { units, file, flags }: {
    readonly units: readonly string[];
    readonly file: string;
    readonly flags: readonly string[];
  },
): Promise<void> {
  const folder = await workFolder(project, dirname(file));
  try {
    const objects = await mapParallel(units, async (unit) => {
      const object = `${folder}/${unit}.o`;
      const source = project.sources + unit;
      await runCompiler(project, [...project.compileFlags, ...flags, "-c", source, "-o", object]);
      return object;
    });
    const linked = `${folder}/linked.so`;
    await runCompiler(project, [...objects, ...project.linkFlags, "-o", linked]);
    await Deno.rename(linked, file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function workFolder({ title }: NativeProject, output: string): Promise<string> {
  try {
    await Deno.mkdir(output, { recursive: true });
    return await Deno.makeTempDir({ dir: output, prefix: "compile-" });
  } catch (cause) {
    throw new Error(
      `Cannot write to ${output} (${(cause as Error).message}): ` +
        `set SIAMBAN_BUILD to a folder for ${title}`,
      { cause },
    );
  }
}

async function mapParallel<T, R>(items: readonly T[], map: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const index = next++;
      results[index] = await map(items[index]);
    }
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, worker));
  return results;
}

async function runCompiler(project: NativeProject, args: readonly string[]): Promise<void> {
  const { title, remedy, missing } = project;
  const { code, stderr } = await execute(compiler(), args, remedy);
  if (code === 0) return;
  const part = missing?.(stderr);
  const reason = part ? `${part}, ${remedy}` : `the compiler says\n${stderr.trim()}`;
  throw new Error(`Cannot compile ${title}: ${reason}`);
}

/** How a program ended. */
export interface Execution {
  readonly code: number;
  readonly stderr: string;
}

/**
 * Runs a program to its end, quietly.
 *
 * @param remedy What to do if it is missing.
 * @throws {Error} If there is no such program, with the remedy.
 */
export async function execute(
  program: string,
  args: readonly string[],
  remedy: string,
): Promise<Execution> {
  try {
    const command = new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    });
    const { code, stderr } = await command.output();
    return { code, stderr: new TextDecoder().decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new Error(`Cannot find ${program}: ${remedy}`, { cause: error });
    }
    // What is not installed when Deno starts cannot be allowed, and reads as forbidden.
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
    throw new Error(
      `Cannot run ${program}: it is not there, or its name is not in the task's --allow-run of ` +
        `deno.json, ${remedy}`,
      { cause: error },
    );
  }
}
