import * as tf from "@tensorflow/tfjs";
import type { KernelConfig, NamedAttrMap, TensorInfo } from "@tensorflow/tfjs";
import type { OnednnBackend } from "../backend.ts";

/** What tfjs passes to a kernel. */
export interface KernelCall {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly attrs: NamedAttrMap;
}

/**
 * A native kernel for an op of tfjs.
 *
 * @param run Returns nothing for what it leaves to tfjs's own kernel.
 */
export function overrideCpu(
  kernelName: string,
  run: (cpu: OnednnBackend, call: KernelCall) => TensorInfo | TensorInfo[] | undefined,
): KernelConfig {
  return {
    kernelName,
    backendName: "onednn",
    kernelFunc: ({ inputs, backend, attrs }) =>
      run(backend as OnednnBackend, {
        inputs: inputs as KernelCall["inputs"],
        attrs: attrs ?? {},
      }) ??
        tf.getKernel(kernelName, "cpu").kernelFunc({ inputs, backend, attrs }),
  };
}
