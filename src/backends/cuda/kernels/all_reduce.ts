import type { TensorInfo } from "@tensorflow/tfjs";
import type { Collective } from "../../../collective.ts";
import { AllReduce } from "../../../ops/all_reduce.ts";
import { sumInBuckets } from "../../all_reduce.ts";
import { type CudaBackend, sizeOf } from "../backend.ts";
import type { Route } from "../communicators.ts";
import { convert, convertMemory } from "../conversion.ts";

/** Sums between the cards with NCCL, on the stream of all other work; through the host where that cannot be. */
export const allReduceCuda = AllReduce.kernel(
  "cuda",
  (cuda: CudaBackend, inputs, { collective }) => {
    const tensors = Object.values(inputs) as TensorInfo[];
    const route = cuda.communicators.route(collective);
    if (route.kind === "nccl") betweenCards(cuda, route, tensors);
    else {
      cuda.refuseRecording(`tensors of several ranks pass through the host: ${route.reason}`);
      throughHost(cuda, collective, tensors);
    }
    return [];
  },
);

function betweenCards(
  cuda: CudaBackend,
  { nccl, communicator }: Extract<Route, { kind: "nccl" }>,
  tensors: readonly TensorInfo[],
): void {
  // In bfloat16 each rank on the way would round.
  const sums = tensors.map((tensor) =>
    cuda.format(tensor) === "float32" ? tensor : convert(cuda, tensor, { format: "float32" })
  );
  // Bringing values to the device is work of the stream too, and must not fall into the group.
  const memory = sums.map((sum) => ({ address: cuda.address(sum), count: sizeOf(sum.shape) }));
  const stream = cuda.stream.address;
  cuda.guard(
    () =>
      nccl.group(() => {
        for (const { address, count } of memory) {
          const whole = {
            send: address,
            receive: address,
            count,
            type: "float32",
            stream,
          } as const;
          if (count > 0) nccl.allReduce(communicator.address, whole);
        }
      }),
    () => `a sum over all ranks of ${tensors.map(({ shape }) => `[${shape}]`).join(", ")}`,
  );
  tensors.forEach((tensor, i) => {
    if (sums[i] !== tensor) {
      convertMemory(cuda, {
        from: memory[i],
        source: "float32",
        to: { address: cuda.address(tensor) },
        target: cuda.format(tensor),
        size: memory[i].count,
      });
      cuda.disposeData(sums[i].dataId);
    }
    cuda.touch(tensor);
  });
}

function throughHost(
  cuda: CudaBackend,
  collective: Collective,
  tensors: readonly TensorInfo[],
): void {
  const arrays = tensors.map(({ dataId }) => cuda.readSync(dataId) as Float32Array<ArrayBuffer>);
  sumInBuckets(arrays, collective);
  tensors.forEach((tensor, i) => {
    const from = cuda.live(arrays[i]);
    convertMemory(cuda, {
      from,
      source: "float32",
      to: { address: cuda.address(tensor) },
      target: cuda.format(tensor),
      size: arrays[i].length,
    });
    cuda.release(from);
    cuda.touch(tensor);
  });
}
