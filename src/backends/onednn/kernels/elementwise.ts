import * as tf from "@tensorflow/tfjs";
import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs";
import { addressOf } from "../../../ffi/memory.ts";
import type { OnednnBackend } from "../backend.ts";
import type { NativeCall } from "../bindings/native.ts";
import { overrideCpu } from "./override_cpu.ts";

export const addOnednn = binary("Add", "siamban_add");
export const multiplyOnednn = binary("Multiply", "siamban_multiply");

/** tfjs passes the terms as an array under the type of a record. */
export const addNOnednn = overrideCpu("AddN", (cpu, { inputs }) => {
  const terms = inputs as unknown as TensorInfo[];
  if (!terms.every(isFloat)) return undefined;
  const sum = cpu.empty(terms[0].shape);
  const table = BigUint64Array.from(terms, (term) => addressOf(cpu.floats(term)));
  cpu.run("siamban_add_n", { table, sum }, { integers: [terms.length, sizeOf(sum)] });
  return sum;
});

/**
 * Integers against one of them, as labels are chosen. The result is a tensor of truth values whose array is
 * of floats already, because all that is done with it is to cast it to these.
 */
export const equalOnednn = overrideCpu("Equal", (cpu, { inputs: { a, b } }) => {
  if (a.dtype !== "int32" || b.dtype !== "int32" || sizeOf(b) !== 1) return undefined;
  if (b.shape.length > a.shape.length) return undefined;
  const out = cpu.empty(a.shape);
  cpu.run("siamban_equal", { a, b, out }, { integers: [sizeOf(a)] });
  return { ...out, dtype: "bool" };
});

/** A commutative operation on tensors of equal shape, or on a tensor and a scalar. */
function binary(kernelName: string, call: NativeCall): KernelConfig {
  return overrideCpu(kernelName, (cpu: OnednnBackend, { inputs }) => {
    const [a, b] = sizeOf(inputs.a) === 1 ? [inputs.b, inputs.a] : [inputs.a, inputs.b];
    const scalar = sizeOf(b) === 1 && b.shape.length <= a.shape.length;
    if (!isFloat(a) || !isFloat(b)) return undefined;
    if (!scalar && !tf.util.arraysEqual(a.shape, b.shape)) return undefined;
    const out = cpu.empty(a.shape);
    cpu.run(call, { a, b, out }, { integers: [sizeOf(a), Number(scalar)] });
    return out;
  });
}

function isFloat({ dtype }: TensorInfo): boolean {
  return dtype === "float32";
}

function sizeOf({ shape }: TensorInfo): number {
  return shape.reduce((product, size) => product * size, 1);
}
