import { compiler } from "../../ffi/compile.ts";
import { IMAGE_PACKAGES, nativeImageLibrary } from "../../image/native_images.ts";
import { HostBackend } from "../host_backend.ts";
import { NativeCpu } from "./bindings/native.ts";
import { OnednnBackend } from "./backend.ts";
import { conv2dOnednn } from "./kernels/conv2d.ts";
import { installPackages } from "./install_packages.ts";
import { nativeLibrary, PACKAGES, REMEDY, run } from "./toolchain.ts";

/** One step of {@linkcode buildNative}. */
export interface BuildStep {
  readonly name: "check" | "install" | "compile" | "self-test" | "pictures";
  /** What came of it, in one line. */
  readonly detail: string;
}

/**
 * Builds the native CPU library step by step, and tries it; then the one for pictures, without which
 * loading is slower and nothing else.
 *
 * @param options.install Installs what is missing through apt, where this process may.
 * @throws {Error} If something is missing and cannot be installed, or compiling or the test fails;
 * the message names the remedy.
 */
export async function* buildNative(
  { install }: { readonly install: boolean },
): AsyncGenerator<BuildStep> {
  const missing = await missingTool();
  yield { name: "check", detail: missing ?? `${compiler()} and oneDNN are there` };
  if (missing !== undefined) {
    if (!install) throw new Error(`Cannot build the native CPU library: ${missing}, ${REMEDY}`);
    await installPackages(PACKAGES);
    yield { name: "install", detail: `installed ${PACKAGES.join(" and ")}` };
  }
  const start = performance.now();
  const file = await nativeLibrary();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  yield { name: "compile", detail: `${file} (${seconds} s)` };
  yield { name: "self-test", detail: selfTest(file) };
  yield { name: "pictures", detail: await buildImages(install) };
}

async function buildImages(install: boolean): Promise<string> {
  try {
    return await nativeImageLibrary().catch(async (error) => {
      if (!install) throw error;
      await installPackages(IMAGE_PACKAGES);
      return await nativeImageLibrary();
    });
  } catch (error) {
    return `left out: ${(error as Error).message}`;
  }
}

/** What of the toolchain is not there; nothing if all is. */
async function missingTool(): Promise<string | undefined> {
  if (!await succeeds(compiler(), ["--version"])) return `the compiler ${compiler()} is missing`;
  const probe = ["-fsyntax-only", "-include", "dnnl.hpp", "-x", "c++", "/dev/null"];
  return await succeeds(compiler(), probe) ? undefined : "oneDNN is missing";
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  try {
    return (await run(program, args)).code === 0;
  } catch {
    return false;
  }
}

/** Convolves a 3 x 3 image of ones with a 3 x 3 filter of ones: each pixel counts its neighbours. */
function selfTest(file: string): string {
  const backend: HostBackend = new OnednnBackend(new NativeCpu(file));
  const ones = new Float32Array(9).fill(1);
  const x = backend.makeTensorInfo([1, 3, 3, 1], "float32", ones);
  const weight = backend.makeTensorInfo([1, 3, 3, 1], "float32", ones);
  const attrs = { stride: 1, padding: 1, dilation: 1, groups: 1 };
  const y = conv2dOnednn.kernelFunc({ inputs: { x, weight }, backend, attrs });
  const found = backend.floats(Array.isArray(y) ? y[0] : y).join(" ");
  const expected = "4 6 4 6 9 6 4 6 4";
  if (found === expected) return "a convolution is right";
  throw new Error(
    `Cannot trust the native CPU library: a convolution gave ${found}, expected ${expected}, ` +
      "use the reference backend and report the processor",
  );
}
