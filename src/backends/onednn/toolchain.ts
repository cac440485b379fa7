import { fromFileUrl } from "@std/path";
import { compiledLibrary, execute, type Execution, type NativeProject } from "../../ffi/compile.ts";
import type { ProcessorTarget } from "../../ffi/processor.ts";

/** Debian packages that hold the compiler, and oneDNN's header and library. */
export const PACKAGES: readonly string[] = ["g++", "libdnnl-dev"];
/** What to do when something is missing. */
export const REMEDY = `install it with: apt-get install ${PACKAGES.join(" ")}`;

const PROJECT: NativeProject = {
  name: "siamban-cpu",
  title: "the native CPU library",
  sources: fromFileUrl(new URL("../../../native/cpu/", import.meta.url)),
  output: fromFileUrl(new URL("../../../build/native", import.meta.url)),
  compileFlags: [
    "-std=c++17",
    "-O3",
    "-fopenmp",
    "-fPIC",
    "-fvisibility=hidden",
    "-fno-math-errno",
    "-fno-trapping-math",
  ],
  linkFlags: ["-shared", "-fopenmp", "-ldnnl"],
  versionHeaders: [
    "/usr/include/oneapi/dnnl/dnnl_version.h",
    "/usr/local/include/oneapi/dnnl/dnnl_version.h",
  ],
  remedy: REMEDY,
  missing: (complaint) =>
    /dnnl\.hpp: No such file|cannot find -ldnnl/.test(complaint) ? "oneDNN is missing" : undefined,
};

/**
 * Finds the native CPU library in `build/native` of the repository, or compiles it.
 *
 * @param target What to compile for; this processor, unless SIAMBAN_CPU names less.
 * @param options.mayCompile Whether there is the time to compile.
 * @returns Path of the shared library.
 * @throws {Error} As {@linkcode compiledLibrary}.
 */
export function nativeLibrary(
  target?: ProcessorTarget,
  options: { readonly mayCompile?: boolean } = {},
): Promise<string> {
  return compiledLibrary(PROJECT, target, options);
}

/** Runs a program of the toolchain. */
export function run(program: string, args: readonly string[]): Promise<Execution> {
  return execute(program, args, REMEDY);
}
