import * as tf from "@tensorflow/tfjs";
import type { DataType, TensorInfo } from "@tensorflow/tfjs";
import { type CudaBackend, sizeOf } from "../backend.ts";
import { overrideTfjs } from "./override_tfjs.ts";

export const fillCuda = overrideTfjs("Fill", (cuda, { attrs }) => {
  const value = attrs.value as number;
  const dtype = (attrs.dtype as DataType | undefined) ?? tf.util.inferDtype(value);
  const filled = cuda.empty(attrs.shape as number[], dtype);
  fill(cuda, filled, value);
  return filled;
});

export const zerosLikeCuda = overrideTfjs("ZerosLike", (cuda, { inputs: { x } }) => {
  const zeros = cuda.emptyLike(x);
  fill(cuda, zeros, 0);
  return zeros;
});

export const onesLikeCuda = overrideTfjs("OnesLike", (cuda, { inputs: { x } }) => {
  const ones = cuda.emptyLike(x);
  fill(cuda, ones, 1);
  return ones;
});

/** Sets all elements of a tensor, through the driver's own way of filling memory. */
export function fill(cuda: CudaBackend, tensor: TensorInfo, value: number): void {
  const format = cuda.format(tensor), stream = cuda.stream.address;
  const address = cuda.address(tensor), count = sizeOf(tensor.shape);
  if (count === 0) return;
  if (format === "uint8") return cuda.driver.fillBytes(address, value, { count, stream });
  const bits = format === "int32"
    ? new Uint32Array(Int32Array.of(value).buffer)[0]
    : new Uint32Array(Float32Array.of(value).buffer)[0];
  if (format !== "bfloat16") return cuda.driver.fillWords(address, bits, { count, stream });
  const half = (bits + 0x7fff + (bits >>> 16 & 1)) >>> 16;
  cuda.driver.fillHalves(address, half, { count, stream });
}
