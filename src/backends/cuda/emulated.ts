import { fromFileUrl } from "@std/path";
import { compiledLibrary } from "../../ffi/compile.ts";
import { waitBriefly } from "../../ffi/openmp.ts";

const SOURCES = fromFileUrl(new URL("../../../native/emulated/", import.meta.url));

/** What a kernel is compiled against; a change of it means a new library and new kernels. */
const KERNEL_HEADERS = [
  "abi.hpp",
  "atomics.hpp",
  "checks.hpp",
  "copies.hpp",
  "kernel.hpp",
  "kernel_table.hpp",
  "math.hpp",
  "vectors.hpp",
  "warp.hpp",
];

/** Environment variable that names a device built before, for a program that is one bundled file. */
const LIBRARY_VARIABLE = "SIAMBAN_EMULATED_LIBRARY";

/**
 * Finds the emulated device, or compiles it: one shared library that exports the functions of
 * NVIDIA's driver, NVRTC, cuDNN, cuBLAS and NCCL that the backend calls, and runs kernels on the
 * host. It takes no NVIDIA software, checks what a card would not forgive, and is slow.
 *
 * @returns Path of the shared library.
 * @throws {Error} If there is no C++ compiler or compiling fails; the message names the remedy.
 */
export async function emulatedLibrary(): Promise<string> {
  waitBriefly();
  const built = Deno.env.get(LIBRARY_VARIABLE);
  if (built) return built;
  return await compiledLibrary({
    name: "siamban-emulated",
    title: "the emulated CUDA device",
    sources: SOURCES,
    output: fromFileUrl(new URL("../../../build/native", import.meta.url)),
    compileFlags: [
      "-std=c++17",
      "-O2",
      "-fopenmp",
      "-fPIC",
      "-fvisibility=hidden",
      `-DEMULATED_SOURCES="${SOURCES.replace(/\/$/, "")}"`,
    ],
    linkFlags: ["-shared", "-fopenmp", "-ldl"],
    versionHeaders: KERNEL_HEADERS.map((name) => `${SOURCES}device/${name}`),
    remedy: "install it with: apt-get install g++",
  });
}
