import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { testOnDevice, withSetting } from "./device.ts";

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
  testOnDevice(`A sum by shuffles, a barrier and atomics is right in ${order} order`, (device) => {
    withSetting("SIAMBAN_EMULATED_ORDER", order, () => {
      const x = Float32Array.from({ length: 10000 }, (_, i) => i % 7);
      const y = device.upload(new Float32Array(10000).fill(1));
      const out = device.upload(new Float32Array(1));
      const args = [device.upload(x), y, { float: 2 }, 10000];
      device.launch(device.kernel(SUM, "axpby"), { args, threads: 256, blocks: 40 });
      const sum = { args: [y, out, 10000], threads: 256, blocks: 8 };
      device.launch(device.kernel(SUM, "total"), sum);
      const expected = x.reduce((total, value) => total + 2 * value + 1, 0);
      assertEquals(device.download(out, 1)[0], expected);
    });
  });
}

const SHUFFLES = `
extern "C" __global__ void shuffles(int *out) {
  int lane = threadIdx.x;
  out[lane] = __shfl_sync(0xffffffffu, lane, 5);
  out[32 + lane] = __shfl_up_sync(0xffffffffu, lane, 3);
  out[64 + lane] = __shfl_down_sync(0xffffffffu, lane, 4, 8);
  out[96 + lane] = __shfl_xor_sync(0xffffffffu, lane, 1);
  out[128 + lane] = __ballot_sync(0xffffffffu, lane % 3 == 0);
  if (lane < 16) out[160 + lane] = __shfl_down_sync(0x0000ffffu, lane, 8, 16);
  else out[160 + lane] = __shfl_up_sync(0xffff0000u, lane, 8, 16);
  out[192 + lane] = __any_sync(0xffffffffu, lane == 7) + 2 * __all_sync(0xffffffffu, lane < 31);
}`;

for (const order of ["forward", "reverse"]) {
  testOnDevice(`Shuffles and votes are those of CUDA in ${order} order`, (device) => {
    withSetting("SIAMBAN_EMULATED_ORDER", order, () => {
      const out = device.driver.allocate(4 * 224)!;
      device.run(device.kernel(SHUFFLES, "shuffles"), { args: [out] });
      const found = new Int32Array(device.download(out, 224).buffer);
      const lanes = Array.from({ length: 32 }, (_, lane) => lane);
      const expected = [
        lanes.map(() => 5),
        lanes.map((lane) => lane < 3 ? lane : lane - 3),
        lanes.map((lane) => lane % 8 < 4 ? lane + 4 : lane),
        lanes.map((lane) => lane ^ 1),
        lanes.map(() => lanes.reduce((bits, lane) => lane % 3 === 0 ? bits | 1 << lane : bits, 0)),
        lanes.map((lane) => lane < 8 ? lane + 8 : lane >= 24 ? lane - 8 : lane),
        lanes.map(() => 1),
      ];
      assertEquals(Array.from(found), expected.flat());
    });
  });
}

const SHARED = `
extern __shared__ float dynamic_tile[];
__global__ void plain(float *out, int n) {
  extern __shared__ float4 wide[];
  __shared__ float fixed[40];
  for (int i = threadIdx.x; i < n; i += blockDim.x) dynamic_tile[i] = i;
  if (threadIdx.x < 40) fixed[threadIdx.x] = 100 + threadIdx.x;
  __syncthreads();
  out[threadIdx.x] = wide[n / 4 - 1].w + fixed[(threadIdx.x + 1) % 40];
}
template <int N>
__global__ void scaled(float *out) { out[threadIdx.x] = N * threadIdx.x; }
extern "C" __global__ void named(float *out, int n) { plain(out, n); }`;

testOnDevice(
  "Static and dynamic shared memory are a block's own, and may overlap as CUDA's",
  (device) => {
    const out = device.driver.allocate(4 * 64)!;
    const kernel = device.kernel(SHARED, "named");
    device.run(kernel, { args: [out, 64], threads: 64, shared: 256 });
    const expected = Array.from({ length: 64 }, (_, i) => 63 + 100 + (i + 1) % 40);
    assertEquals(Array.from(device.download(out, 64)), expected);
  },
);

const COPIES = `
extern "C" __global__ void copies(const float *x, float *y, int awaits) {
  __shared__ __align__(16) float tile[32];
  if (threadIdx.x < 8) emulated_copy_16_bytes(tile + 4 * threadIdx.x, x + 4 * threadIdx.x);
  if (awaits) emulated_wait_for_copies();
  __syncthreads();
  y[threadIdx.x] = tile[31 - threadIdx.x];
}`;

testOnDevice("A copy to shared memory is there once it was awaited, and not before", (device) => {
  const x = Float32Array.from({ length: 32 }, (_, i) => i);
  const from = device.upload(x), y = device.driver.allocate(4 * 32)!;
  const kernel = device.kernel(COPIES, "copies");
  device.run(kernel, { args: [from, y, 1] });
  assertEquals(device.download(y, 32), x.toReversed());
  device.run(kernel, { args: [from, y, 0] });
  assert(device.download(y, 32).every(Number.isNaN));
});

const VECTORS = `
extern "C" __global__ void vectors(const float4 *x, float4 *y, const unsigned char *bytes, float *z) {
  int i = threadIdx.x;
  float4 v = __ldg(x + i);
  y[i] = make_float4(max(v.x, 0.f), fmaf(v.y, 2.f, 1.f), rsqrtf(v.z), expf(logf(v.w)));
  uchar4 b = reinterpret_cast<const uchar4 *>(bytes)[i];
  z[i] = __uint_as_float((__float_as_uint(float(b.x + b.w)) + 0x8000u) & 0xffff0000u);
}`;

testOnDevice("Vector loads, arithmetic and bits of floats are those of CUDA", (device) => {
  const x = Float32Array.from({ length: 128 }, (_, i) => i % 4 === 0 ? i - 64 : 1 + i / 16);
  const bytes = Uint8Array.from({ length: 128 }, (_, i) => i);
  const y = device.driver.allocate(512)!, z = device.driver.allocate(128)!;
  const args = [device.upload(x), y, device.upload(bytes), z];
  device.run(device.kernel(VECTORS, "vectors"), { args });
  const rows = device.download(y, 128);
  for (let i = 0; i < 128; i += 4) {
    assertAlmostEquals(rows[i], Math.max(x[i], 0));
    assertAlmostEquals(rows[i + 1], 2 * x[i + 1] + 1, 1e-5);
    assertAlmostEquals(rows[i + 2], 1 / Math.sqrt(x[i + 2]), 1e-6);
    assertAlmostEquals(rows[i + 3], x[i + 3], 1e-5);
  }
  assertEquals(Array.from(device.download(z, 32)).slice(0, 3), [3, 11, 19]);
});

testOnDevice("Fresh device memory and shared memory are not a number", (device) => {
  const source = `extern "C" __global__ void peek(float *out) {
    __shared__ float tile[32];
    if (threadIdx.x == 40) tile[0] = 1;  // never
    out[threadIdx.x] = tile[threadIdx.x];
  }`;
  const out = device.driver.allocate(4 * 64)!;
  device.run(device.kernel(source, "peek"), { args: [out] });
  assert(device.download(out, 64).every(Number.isNaN));
});
