import type { KernelConfig, NamedAttrMap, TensorInfo } from "@tensorflow/tfjs";
import type { CudaBackend } from "../backend.ts";

/** What tfjs passes to a kernel. */
export interface KernelCall {
  readonly inputs: Readonly<Record<string, TensorInfo>>;
  readonly attrs: NamedAttrMap;
}

/**
 * A device kernel for an op of tfjs.
 *
 * @param run Returns nothing for what it leaves to tfjs's own kernel on the host, which costs a copy
 * there and back.
 */
export function overrideTfjs(
  kernelName: string,
  run: (cuda: CudaBackend, call: KernelCall) => TensorInfo | TensorInfo[] | undefined,
): KernelConfig {
  return {
    kernelName,
    backendName: "cuda",
    kernelFunc: ({ inputs, backend, attrs }) => {
      const cuda = backend as CudaBackend;
      const call = { inputs: inputs as KernelCall["inputs"], attrs: attrs ?? {} };
      return run(cuda, call) ?? cuda.onHost(kernelName, call);
    },
  };
}
