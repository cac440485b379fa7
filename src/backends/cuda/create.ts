import * as tf from "@tensorflow/tfjs";
import type { KernelConfig } from "@tensorflow/tfjs";
import type { BackendOptions } from "../host_backend.ts";
import { openLibrary } from "../../ffi/library.ts";
import { CudaBackend } from "./backend.ts";
import { Driver } from "./bindings/driver.ts";
import { emulatedLibrary } from "./emulated.ts";
import { CUDA_KERNELS } from "./kernels/mod.ts";
import { overrideTfjs } from "./kernels/override_tfjs.ts";
import { installedLibraries, librariesFrom, openCudnnParts } from "./libraries.ts";

/**
 * Starts the backend on an NVIDIA card.
 *
 * @throws {Error} If driver, card or a library is missing, with every place tried and the remedy.
 */
export function createCuda(options: BackendOptions): CudaBackend {
  const driver = new Driver(installedLibraries().driver);
  driver.init();
  const libraries = installedLibraries(driver.version());
  openCudnnParts(openLibrary(libraries.cudnn, {}).location(), libraries);
  // Tools that look for faults then name the line of a kernel.
  const compileOptions = options.deviceDebug ? ["--generate-line-info"] : [];
  return new CudaBackend(libraries, { ...options, compileOptions });
}

/**
 * Starts the same backend on the emulated device, which is built at the first use. In debug mode kernels are
 * compiled so that each access to memory is checked.
 *
 * @throws {Error} If it cannot be built here, with the remedy.
 */
export async function createEmulated(options: BackendOptions): Promise<CudaBackend> {
  const libraries = librariesFrom(await emulatedLibrary());
  const compileOptions = options.deviceDebug ? ["--device-debug"] : [];
  return new CudaBackend(libraries, { measure: false, ...options, compileOptions });
}

/** The kernels of a backend: those of the device, and tfjs's own on the host for all other ops. */
export function cudaKernels(backend: CudaBackend): KernelConfig[] {
  const own = new Set(CUDA_KERNELS.map(({ kernelName }) => kernelName));
  const others = tf.getKernelsForBackend("cpu")
    .filter(({ kernelName }) => !own.has(kernelName))
    .map(({ kernelName }) => overrideTfjs(kernelName, () => undefined));
  return [...CUDA_KERNELS, ...others].map((kernel) => backend.named(kernel));
}
