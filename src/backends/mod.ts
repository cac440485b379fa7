import * as tf from "@tensorflow/tfjs";
import type { KernelConfig } from "@tensorflow/tfjs";
import { createOnednn } from "./onednn/backend.ts";
import { ONEDNN_KERNELS } from "./onednn/kernels/mod.ts";
import { createReference } from "./reference/backend.ts";
import { REFERENCE_KERNELS } from "./reference/kernels/mod.ts";
import type { CallProfile, Peak } from "./call_profile.ts";
import type { BackendOptions, HostBackend } from "./host_backend.ts";

export type { CallProfile, OpTotals, Peak } from "./call_profile.ts";
export type { BackendOptions } from "./host_backend.ts";

interface BackendEntry {
  readonly create: (options: BackendOptions) => HostBackend | Promise<HostBackend>;
  readonly kernels: readonly KernelConfig[];
}

const BACKENDS = {
  onednn: { create: createOnednn, kernels: ONEDNN_KERNELS },
  reference: { create: createReference, kernels: REFERENCE_KERNELS },
} as const satisfies Record<string, BackendEntry>;

/** Name of a backend. */
export type BackendName = keyof typeof BACKENDS;

/** The names of all backends, best first. */
export const BACKEND_NAMES = Object.keys(BACKENDS) as readonly BackendName[];

/** The backend in use; disposing goes back to the one before. */
export interface BackendHandle extends AsyncDisposable {
  readonly name: BackendName;
  /** Why `auto` passed by a faster backend, with the remedy; absent when it did not. */
  readonly note?: string;
  /** Notes native calls from now on; nothing on a backend that makes none. */
  startProfile(): CallProfile | undefined;
  /** Measures what the threads in use can do at most; nothing where nothing native runs. */
  measurePeak(): Peak | undefined;
}

/**
 * Makes a backend the one that all tensors and ops use from now on. Nothing native is opened before.
 *
 * @param name A backend, or `auto`: the first of {@linkcode BACKEND_NAMES} that works here.
 * @throws {TypeError} If the name is unknown.
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
  const [first, ...others] = BACKEND_NAMES;
  try {
    return await activate(first, options);
  } catch (error) {
    const handle = await activate(others[0], options);
    return Object.assign(handle, { note: (error as Error).message });
  }
}

const started = new Map<BackendName, HostBackend>();

async function activate(name: BackendName, options: BackendOptions): Promise<BackendHandle> {
  const entry: BackendEntry | undefined = BACKENDS[name];
  if (entry === undefined) {
    throw new TypeError(
      `Cannot use backend "${name}": expected one of ${["auto", ...BACKEND_NAMES].join(", ")}`,
    );
  }
  if (!started.has(name)) {
    const backend = await entry.create(options);
    // Another call may have started it meanwhile.
    if (!started.has(name)) register(name, backend, entry.kernels);
  }
  const previous = tf.getBackend();
  await tf.setBackend(name);
  return {
    name,
    startProfile: () => started.get(name)!.startProfile(),
    measurePeak: () => started.get(name)!.measurePeak(),
    async [Symbol.asyncDispose]() {
      if (previous) await tf.setBackend(previous);
    },
  };
}

function register(name: BackendName, backend: HostBackend, kernels: readonly KernelConfig[]): void {
  started.set(name, backend);
  tf.copyRegisteredKernels("cpu", name);
  for (const kernel of kernels) {
    // tfjs warns when a kernel replaces one of its own.
    if (tf.getKernel(kernel.kernelName, name)) tf.unregisterKernel(kernel.kernelName, name);
    tf.registerKernel(kernel);
  }
  tf.registerBackend(name, () => backend);
}
