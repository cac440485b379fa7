import { dirname, fromFileUrl } from "@std/path";

/** Folders, from the root of the repository. */
const SOURCES = fromFileUrl(new URL("../../../native/cpu/", import.meta.url));
const OUTPUT = fromFileUrl(new URL("../../../build/native", import.meta.url));

const COMPILE_FLAGS = [
  "-std=c++17",
  "-O3",
  "-march=native",
  "-fopenmp",
  "-fPIC",
  "-fvisibility=hidden",
  "-fno-math-errno",
  "-fno-trapping-math",
];
const LINK_FLAGS = ["-shared", "-fopenmp", "-ldnnl"];

/** Debian packages that hold the compiler, and oneDNN's header and library. */
export const PACKAGES: readonly string[] = ["g++", "libdnnl-dev"];
/** What to do when something is missing. */
export const REMEDY = `install it with: apt-get install ${PACKAGES.join(" ")}`;

/** Where oneDNN says its version; a new one means a new library. */
const VERSION_HEADERS = [
  "/usr/include/oneapi/dnnl/dnnl_version.h",
  "/usr/local/include/oneapi/dnnl/dnnl_version.h",
];

/**
 * Finds the native CPU library, or compiles it: some seconds at the first use on a machine. The file's
 * name tells sources, flags, processor and oneDNN, so that a change of any compiles anew. It lies in
 * `build/native` of the repository, or where the environment variable SIAMBAN_BUILD says.
 *
 * @returns Path of the shared library.
 * @throws {Error} If the compiler or oneDNN is missing, or compiling fails; the message names the remedy.
 */
export async function nativeLibrary(): Promise<string> {
  // Lets a test, or a person in doubt, see what runs without.
  if (Deno.env.get("SIAMBAN_NATIVE") === "off") {
    throw new Error("Cannot use native kernels: SIAMBAN_NATIVE is off, unset it");
  }
  const sources = await readSources();
  const folder = Deno.env.get("SIAMBAN_BUILD") ?? OUTPUT;
  const file = `${folder}/siamban-cpu-${await fingerprint(sources)}.so`;
  if (!await exists(file)) await compile([...sources.keys()].filter(isUnit), file);
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
async function readSources(): Promise<Map<string, string>> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(SOURCES)) if (isFile) names.push(name);
  const texts = await Promise.all(
    names.sort().map(async (name) => [name, await Deno.readTextFile(SOURCES + name)] as const),
  );
  return new Map(texts);
}

async function fingerprint(sources: ReadonlyMap<string, string>): Promise<string> {
  const parts = [
    ...[...sources].flat(),
    compiler(),
    ...COMPILE_FLAGS,
    ...LINK_FLAGS,
    await processorFlags(),
    ...await Promise.all(VERSION_HEADERS.map(readOrEmpty)),
  ];
  const bytes = new TextEncoder().encode(parts.join("\0"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return digest.subarray(0, 8).toHex();
}

/** What `-march=native` depends on, so that a library is never run on a processor too old for it. */
async function processorFlags(): Promise<string> {
  const text = await readOrEmpty("/proc/cpuinfo");
  return /^(?:flags|Features)\s*:.*$/m.exec(text)?.[0] ?? Deno.build.target;
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
async function compile(units: readonly string[], file: string): Promise<void> {
  const folder = await workFolder(dirname(file));
  try {
    const objects = await mapParallel(units, async (unit) => {
      const object = `${folder}/${unit}.o`;
      await runCompiler([...COMPILE_FLAGS, "-c", SOURCES + unit, "-o", object]);
      return object;
    });
    const linked = `${folder}/linked.so`;
    await runCompiler([...objects, ...LINK_FLAGS, "-o", linked]);
    await Deno.rename(linked, file);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function workFolder(output: string): Promise<string> {
  try {
    await Deno.mkdir(output, { recursive: true });
    return await Deno.makeTempDir({ dir: output, prefix: "compile-" });
  } catch (cause) {
    throw new Error(
      `Cannot write to ${output} (${(cause as Error).message}): ` +
        "set SIAMBAN_BUILD to a folder for the native CPU library",
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

async function runCompiler(args: readonly string[]): Promise<void> {
  const { code, stderr } = await execute(compiler(), args);
  if (code !== 0) throw new Error(`Cannot compile the native CPU library: ${explain(stderr)}`);
}

/** The compiler's complaint, with the remedy where it is about something missing. */
function explain(stderr: string): string {
  if (/dnnl\.hpp: No such file|cannot find -ldnnl/.test(stderr)) {
    return `oneDNN is missing, ${REMEDY}`;
  }
  return `the compiler says\n${stderr.trim()}`;
}

/** How a program ended. */
export interface Execution {
  readonly code: number;
  readonly stderr: string;
}

/**
 * Runs a program to its end, quietly.
 *
 * @throws {Error} If there is no such program, with the remedy.
 */
export async function execute(program: string, args: readonly string[]): Promise<Execution> {
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
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Error(`Cannot find ${program}: ${REMEDY}`, { cause: error });
  }
}
