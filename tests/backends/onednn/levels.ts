import * as tf from "@tensorflow/tfjs";
import { OnednnBackend } from "../../../src/backends/onednn/backend.ts";
import { NativeCpu } from "../../../src/backends/onednn/bindings/native.ts";
import { ONEDNN_KERNELS } from "../../../src/backends/onednn/kernels/mod.ts";
import { nativeLibrary } from "../../../src/backends/onednn/toolchain.ts";
import {
  PROCESSOR_LEVELS,
  type ProcessorTarget,
  processorTarget,
} from "../../../src/ffi/processor.ts";
import { BACKENDS } from "../../support/backends.ts";

/**
 * What native code can be compiled for here, the widest first; where SIAMBAN_CPU chooses one, that
 * one alone; none where no native code runs.
 */
export function availableTargets(): ProcessorTarget[] {
  if (!BACKENDS.some(({ name, available }) => name === "onednn" && available)) return [];
  if (Deno.env.get("SIAMBAN_CPU") !== undefined) return [processorTarget()];
  return PROCESSOR_LEVELS.flatMap((level) => {
    try {
      return [processorTarget({ level })];
    } catch {
      return []; // this processor lacks it
    }
  });
}

/** The native library for a target, compiled at the first use. */
export async function libraryFor(target: ProcessorTarget): Promise<NativeCpu> {
  return new NativeCpu(await nativeLibrary(target));
}

/** Makes a backend of the target's library the one in use until the handle is disposed. */
export async function useTarget(target: ProcessorTarget): Promise<AsyncDisposable> {
  const name = `onednn-for-${target.level}`;
  if (!tf.engine().registryFactory[name]) {
    const backend = new OnednnBackend(await libraryFor(target), { winograd: false });
    tf.copyRegisteredKernels("cpu", name);
    for (const kernel of ONEDNN_KERNELS) {
      if (tf.getKernel(kernel.kernelName, name)) tf.unregisterKernel(kernel.kernelName, name);
      tf.registerKernel({ ...kernel, backendName: name });
    }
    tf.registerBackend(name, () => backend);
  }
  const previous = tf.getBackend();
  await tf.setBackend(name);
  return { [Symbol.asyncDispose]: async () => void await tf.setBackend(previous) };
}
