import { assertEquals } from "@std/assert";
import { testOnDevice } from "./device.ts";

const SUM = `
extern "C" __global__ void axpby(const float *x, float *y, float a, int n) {
  int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] += a * x[i];
}
__device__ float warpSum(float value) {
  for (int step = 16; step > 0; step >>= 1) value += __shfl_xor_sync(0xffffffffu, value, step);
  return value;
}
extern "C" __global__ void __launch_bounds__(256) total(const float *x, float *out, int n) {
  __shared__ float parts[32];
  float value = 0;
  for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += blockDim.x * gridDim.x) value += x[i];
  value = warpSum(value);
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x >= 32) return;
  value = warpSum(threadIdx.x < blockDim.x / 32 ? parts[threadIdx.x] : 0.f);
  if (threadIdx.x == 0) atomicAdd(out, value);
}`;

for (const order of ["forward", "reverse"]) {
  testOnDevice(`a sum by shuffles, a barrier and atomics is right in ${order} order`, (device) => {
    Deno.env.set("SIAMBAN_EMULATED_ORDER", order);
    try {
      const x = Float32Array.from({ length: 10000 }, (_, i) => i % 7);
      const y = device.upload(new Float32Array(10000).fill(1)),
        out = device.upload(new Float32Array(1));
      const args = [device.upload(x), y, { float: 2 }, 10000];
      device.launch(device.kernel(SUM, "axpby"), { args, threads: 256, blocks: 40 });
      const sum = { args: [y, out, 10000], threads: 256, blocks: 8 };
      device.launch(device.kernel(SUM, "total"), sum);
      assertEquals(
        device.download(out, 1)[0],
        x.reduce((total, value) => total + 2 * value + 1, 0),
      );
    } finally {
      Deno.env.delete("SIAMBAN_EMULATED_ORDER");
    }
  });
}
