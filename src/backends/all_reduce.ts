import type { KernelConfig, TensorInfo } from "@tensorflow/tfjs";
import type { Collective } from "../collective.ts";
import { AllReduce } from "../ops/all_reduce.ts";
import type { HostBackend } from "./host_backend.ts";

/** Floats that travel together: few calls for many small tensors, little memory for large ones. */
const BUCKET_FLOATS = 1 << 20;

/** The kernel of {@linkcode AllReduce} for tensors in host memory. */
export function allReduceHost(backendName: string): KernelConfig {
  return AllReduce.kernel(backendName, (backend: HostBackend, inputs, { collective }) => {
    backend.refuseToRecord("it adds up over processes on the host");
    const tensors = Object.values(inputs) as TensorInfo[];
    sumInBuckets(tensors.map((tensor) => backend.floats(tensor)), collective);
    for (const tensor of tensors) backend.touch(tensor);
    return [];
  });
}

/** Adds arrays up over all ranks, in place. */
export function sumInBuckets(arrays: readonly Float32Array[], collective: Collective): void {
  for (const bucket of intoBuckets(arrays)) {
    const [first] = bucket;
    if (bucket.length === 1) collective.sum(first);
    else {
      const packed = pack(bucket);
      collective.sum(packed);
      unpack(packed, bucket);
    }
  }
}

/** Groups in order; one that is large goes alone. */
function intoBuckets(arrays: readonly Float32Array[]): Float32Array[][] {
  const buckets: Float32Array[][] = [];
  let room = 0;
  for (const array of arrays) {
    if (array.length > room) {
      buckets.push([]);
      room = BUCKET_FLOATS;
    }
    buckets.at(-1)!.push(array);
    room -= array.length;
  }
  return buckets;
}

function pack(arrays: readonly Float32Array[]): Float32Array {
  const packed = new Float32Array(arrays.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const array of arrays) {
    packed.set(array, offset);
    offset += array.length;
  }
  return packed;
}

function unpack(packed: Float32Array, arrays: readonly Float32Array[]): void {
  let offset = 0;
  for (const array of arrays) {
    array.set(packed.subarray(offset, offset + array.length));
    offset += array.length;
  }
}
