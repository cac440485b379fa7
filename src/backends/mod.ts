import * as tf from "@tensorflow/tfjs";
import type { KernelBackend, KernelConfig } from "@tensorflow/tfjs";
import { CudaBackend } from "./cuda/backend.ts";
import { createCuda, createEmulated, cudaKernels } from "./cuda/create.ts";
import { createOnednn } from "./onednn/backend.ts";
import { ONEDNN_KERNELS } from "./onednn/kernels/mod.ts";
import { createReference } from "./reference/backend.ts";
import { REFERENCE_KERNELS } from "./reference/kernels/mod.ts";
import type { CallProfile, Peak } from "./call_profile.ts";
import { type BackendOptions, HostBackend } from "./host_backend.ts";
import type { InPlaceBackend } from "./in_place_backend.ts";
import { NotCompiledError } from "../ffi/compile.ts";
import { isSystemFile } from "../ffi/system_file.ts";

export * from "./cuda/inspect.ts";
export type { CallProfile, OpTotals, Peak } from "./call_profile.ts";
export { NotCompiledError } from "../ffi/compile.ts";
export { type KernelOutput, observeKernels } from "./observe_kernels.ts";
export type { BackendOptions } from "./host_backend.ts";
export type { CudaBackend, CudaStatistics } from "./cuda/backend.ts";
export { type DeviceFloors, measureFloors } from "./cuda/measure.ts";
export { timeOnDevice, timeRecorded } from "./cuda/timing.ts";
export * from "./in_place_backend.ts";
export { toTensor } from "./to_tensor.ts";

/** What every backend here is. */
type OwnBackend = KernelBackend & InPlaceBackend;

interface BackendEntry {
  readonly create: (options: BackendOptions) => OwnBackend | Promise<OwnBackend>;
  readonly kernels: (backend: OwnBackend) => readonly KernelConfig[];
}

const BACKENDS = {
  cuda: { create: createCuda, kernels: (backend) => cudaKernels(backend as CudaBackend) },
  onednn: { create: createOnednn, kernels: () => ONEDNN_KERNELS },
  reference: { create: createReference, kernels: () => REFERENCE_KERNELS },
  emulated: { create: createEmulated, kernels: (backend) => cudaKernels(backend as CudaBackend) },
} as const satisfies Record<string, BackendEntry>;

/** Name of a backend. */
export type BackendName = keyof typeof BACKENDS;

/** The names of all backends, best first. */
export const BACKEND_NAMES = Object.keys(BACKENDS) as readonly BackendName[];

/** What `auto` tries, in order: the emulated device is for tests. */
const AUTOMATIC = ["cuda", "onednn", "reference"] as const satisfies readonly BackendName[];

/** The backend in use; disposing goes back to the one before. */
export interface BackendHandle extends AsyncDisposable {
  readonly name: BackendName;
  /** Why `auto` passed by a faster backend, with the remedy; absent when it did not. */
  readonly note?: string;
  /** Notes native calls from now on; nothing on a backend that makes none. */
  startProfile(): CallProfile | undefined;
  /** Measures what the threads in use can do at most; nothing where nothing native runs. */
  measurePeak(): Peak | undefined;
  /** The GPU, or its emulation; absent on a host backend. */
  readonly cuda?: CudaBackend;
}

/**
 * Makes a backend the one that all tensors and ops use from now on. Nothing native is opened before.
 *
 * @param name A backend, or `auto`: the first of cuda, onednn and reference that works here.
 * @throws {TypeError} If the name is unknown.
 * @throws {NotCompiledError} If the CPU's kernels would have to be compiled, but `options.compile` is
 * false.
 * @throws {Error} If the named backend does not work here, with the remedy.
 *
 * @example
 * ```ts
 * import { useBackend } from "siamban";
 * import { ones } from "@tensorflow/tfjs";
 * import { assertEquals } from "@std/assert";
 *
 * await using backend = await useBackend("reference");
 * assertEquals(backend.name, "reference");
 * assertEquals(ones([2]).dataSync(), new Float32Array([1, 1]));
 * ```
 */
export async function useBackend(
  name: BackendName | "auto" = "auto",
  options: BackendOptions = {},
): Promise<BackendHandle> {
  if (name !== "auto") return await activate(name, options);
  const notes: string[] = [];
  for (const candidate of AUTOMATIC) {
    try {
      const handle = await activate(candidate, options);
      return notes.length > 0 ? Object.assign(handle, { note: notes.join("\n") }) : handle;
    } catch (error) {
      if (error instanceof NotCompiledError) throw error;
      // Most machines have no card, and whoever has none wants no word about it.
      if (candidate !== "cuda" || hasNvidiaCard()) notes.push((error as Error).message);
    }
  }
  throw new Error(`Cannot use any backend: ${notes.join("; ")}`);
}

/** Backends by the name under which tfjs knows them. */
const started = new Map<string, OwnBackend>();

async function activate(name: BackendName, options: BackendOptions): Promise<BackendHandle> {
  const entry: BackendEntry | undefined = BACKENDS[name];
  if (entry === undefined) {
    throw new TypeError(
      `Cannot use backend "${name}": expected one of ${["auto", ...BACKEND_NAMES].join(", ")}`,
    );
  }
  const key = tfjsName(name, options);
  if (!started.has(key)) {
    const backend = await entry.create(options);
    // Another call may have started it meanwhile.
    if (!started.has(key)) register(key, backend, entry.kernels(backend));
  }
  const backend = started.get(key);
  const previous = tf.getBackend();
  await tf.setBackend(key);
  return {
    name,
    ...(backend instanceof CudaBackend ? { cuda: backend } : {}),
    startProfile: () => backend instanceof HostBackend ? backend.startProfile() : undefined,
    measurePeak: () => backend instanceof HostBackend ? backend.measurePeak() : undefined,
    async [Symbol.asyncDispose]() {
      if (previous) await tf.setBackend(previous);
    },
  };
}

/** Devices that compute in another way are others to tfjs. */
function tfjsName(
  name: BackendName,
  { precision, deterministic, deviceDebug, localRank = 0, tiles, winograd, small }: BackendOptions,
): string {
  const products = precision === "float32" ? undefined : precision;
  if (name === "onednn") {
    const without = Object.entries({ tiles, winograd, small }).filter(([, use]) => use === false);
    return [name, products, ...without.map(([way]) => `no_${way}`)].filter(Boolean).join("-");
  }
  if (name !== "cuda" && name !== "emulated") return name;
  const card = localRank > 0 && `rank${localRank}`;
  return [name, products, deterministic && "deterministic", deviceDebug && "debug", card]
    .filter(Boolean).join("-");
}

/** Whether the system knows an NVIDIA card, working or not. */
function hasNvidiaCard(): boolean {
  return isSystemFile("/proc/driver/nvidia");
}

function register(name: string, backend: OwnBackend, kernels: readonly KernelConfig[]): void {
  started.set(name, backend);
  if (backend instanceof HostBackend) tf.copyRegisteredKernels("cpu", name);
  for (const kernel of kernels) {
    // tfjs warns when a kernel replaces one of its own.
    if (tf.getKernel(kernel.kernelName, name)) tf.unregisterKernel(kernel.kernelName, name);
    tf.registerKernel({ ...kernel, backendName: name });
  }
  tf.registerBackend(name, () => backend);
}
