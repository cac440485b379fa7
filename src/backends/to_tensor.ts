import * as tf from "@tensorflow/tfjs";
import type { Tensor } from "@tensorflow/tfjs";
import type { ByteBackend, StepInput } from "./in_place_backend.ts";

/**
 * A tensor of the host's values. Bytes that stand for floats go to the device as bytes, a quarter of
 * the way, where the backend can widen them there.
 */
export function toTensor<T extends Tensor = Tensor>({ values, shape, dtype }: StepInput): T {
  if (!(values instanceof Uint8Array) || dtype !== "float32") {
    return tf.tensor(values, [...shape], dtype) as T;
  }
  const backend = tf.backend() as Partial<ByteBackend>;
  return (backend.fromBytes
    ? tf.engine().makeTensorFromTensorInfo(backend.fromBytes(values, shape))
    : tf.tensor(Float32Array.from(values), [...shape], dtype)) as T;
}
