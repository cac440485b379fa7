import * as tf from "@tensorflow/tfjs";
import type { TensorInfo } from "@tensorflow/tfjs";

/** What a kernel gave. */
export interface KernelOutput {
  readonly kernel: string;
  readonly output: TensorInfo;
  /** A copy. */
  readonly values: Float32Array | Int32Array | Uint8Array;
}

/**
 * Shows every output of every kernel of the current backend from now on, until the result is disposed.
 * Each is read back, which is slow.
 */
export function observeKernels(visit: (output: KernelOutput) => void): Disposable {
  const name = tf.getBackend();
  const kernels = tf.getKernelsForBackend(name);
  const replace = (all: typeof kernels) => {
    for (const kernel of all) {
      tf.unregisterKernel(kernel.kernelName, name);
      tf.registerKernel(kernel);
    }
  };
  replace(kernels.map((kernel) => ({
    ...kernel,
    kernelFunc(call) {
      const outputs = kernel.kernelFunc(call);
      for (const output of Array.isArray(outputs) ? outputs : [outputs]) {
        const values = tf.backend().readSync(output.dataId);
        if (ArrayBuffer.isView(values)) {
          visit({ kernel: kernel.kernelName, output, values: values as Float32Array });
        }
      }
      return outputs;
    },
  })));
  return { [Symbol.dispose]: () => replace(kernels) };
}
