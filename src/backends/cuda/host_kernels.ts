import * as tf from "@tensorflow/tfjs";
import type { NamedAttrMap, TensorInfo } from "@tensorflow/tfjs";
import { HostBackend } from "../host_backend.ts";

/** A tensor's values on the host. */
export interface HostTensorValues {
  readonly values: tf.BackendValues;
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
}

/** Inputs of a tfjs kernel: by name, or, for those of any number, in order. */
export type KernelInputs = Readonly<Record<string, TensorInfo>> | readonly TensorInfo[];

/** Runs tfjs's own kernels on the host, for ops that have none on the device. */
export class HostKernels {
  readonly #cpu = new HostBackend();
  /** Calls by kernel. */
  readonly calls = new Map<string, number>();

  /**
   * Runs a kernel.
   *
   * @param inputs Shapes and ids by name.
   * @param read Gives the values of an input.
   * @throws {Error} If tfjs has no kernel of that name, with the name.
   */
  run(
    kernelName: string,
    { inputs, attrs }: { readonly inputs: KernelInputs; readonly attrs: NamedAttrMap },
    read: (info: TensorInfo) => tf.BackendValues,
  ): HostTensorValues[] {
    const kernel = tf.getKernel(kernelName, "cpu");
    if (!kernel) {
      throw new Error(
        `Cannot run ${kernelName}: neither the device nor tfjs's CPU backend has a kernel of it`,
      );
    }
    this.calls.set(kernelName, (this.calls.get(kernelName) ?? 0) + 1);
    const cpu = this.#cpu;
    const given: TensorInfo[] = [];
    const bring = (info: TensorInfo) => {
      const copy = cpu.makeTensorInfo(info.shape, info.dtype, read(info) as tf.TypedArray);
      given.push(copy);
      return copy;
    };
    const copies = Array.isArray(inputs)
      ? inputs.map(bring)
      : Object.fromEntries(Object.entries(inputs).map(([name, info]) => [name, bring(info)]));
    const result = kernel.kernelFunc({
      inputs: copies as tf.NamedTensorInfoMap,
      backend: cpu,
      attrs,
    });
    const outputs = Array.isArray(result) ? result : [result];
    const values = outputs.map(({ dataId, shape, dtype }) => ({
      values: cpu.readSync(dataId),
      shape,
      dtype,
    }));
    for (const { dataId } of [...outputs, ...given]) cpu.disposeData(dataId, true);
    return values;
  }
}
