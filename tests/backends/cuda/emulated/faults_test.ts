import { assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { CudaError } from "../../../../src/backends/cuda/bindings/status.ts";
import { type TestDevice, type TestLaunch, testOnDevice, withSetting } from "./device.ts";

/** What goes wrong, and what the device must say of it. */
interface Fault {
  readonly what: string;
  readonly source: string;
  readonly args?: (device: TestDevice) => TestLaunch["args"];
  readonly launch?: Omit<TestLaunch, "args">;
  readonly options?: readonly string[];
  /** Launch bounds of the kernel. */
  readonly bounds?: string;
  readonly status: number;
  readonly says: RegExp;
}

const CHECKED = ["--device-debug"];
const hundred = (device: TestDevice) => [device.upload(new Float32Array(100))];

const FAULTS: readonly Fault[] = [
  {
    what: "a write far past the end",
    source: "x[100000 + threadIdx.x] = 1;",
    status: 700,
    says: /kernel test0, block \(0, 0, 0\), thread \(0, 0, 0\): accesses 0x.*past the end of an/,
  },
  {
    what: "a read before the start",
    source: "x[0] = x[-4096];",
    status: 700,
    says: /bytes before an allocation of 400 bytes/,
  },
  {
    what: "a write one element past the end, after the launch",
    source: "if (threadIdx.x == 0) x[100] = 1;",
    status: 700,
    says: /kernel test2: memory just behind the allocation of 400 bytes/,
  },
  {
    what: "a write one element past the end, at the access, with --device-debug",
    source: "x[threadIdx.x + 69] = 1;",
    options: CHECKED,
    status: 700,
    says: /thread \(31, 0, 0\): writes 4 bytes at 0x\w+: 0 bytes past the end of an allocation/,
  },
  {
    what: "a read one element past the end, with --device-debug",
    source: "if (x[threadIdx.x + 69] == 3.f) x[0] = 1;",
    options: CHECKED,
    status: 700,
    says: /thread \(31, 0, 0\): reads 4 bytes/,
  },
  {
    what: "memory that was freed",
    source: "x[threadIdx.x] = 5;",
    args: (device) => {
      const [address] = hundred(device);
      device.driver.free(address);
      return [address];
    },
    status: 700,
    says: /an allocation, already freed, of 400 bytes/,
  },
  {
    what: "a host address",
    source: "x[threadIdx.x] = 6;",
    args: () => [Deno.UnsafePointer.value(Deno.UnsafePointer.of(new Float32Array(100)))],
    status: 700,
    says: /parameter 0 is 0x\w+, which is no device address/,
  },
  {
    what: "a null pointer",
    source: "x[threadIdx.x] = 1;",
    args: () => [0n],
    status: 700,
    says: /accesses 0x0: it is no device address/,
  },
  {
    what: "a misaligned vector",
    source:
      "reinterpret_cast<float4 *>(x)[0] = *reinterpret_cast<float4 *>(x + 1 + threadIdx.x % 2);",
    status: 716,
    says: /accesses a vector at a misaligned address/,
  },
  {
    what: "a misaligned vector, with --device-debug",
    source: "if (reinterpret_cast<float2 *>(x + 1)->y == 3.f) x[0] = 1;",
    args: (device) => [hundred(device)[0] + 2n],
    options: CHECKED,
    status: 716,
    says: /thread \(0, 0, 0\): reads 4 bytes at 0x\w+, which is misaligned/,
  },
  {
    what: "a barrier that some threads never reach",
    source: "if (threadIdx.x < 5) return;\n__syncthreads();\nx[threadIdx.x] = 1;",
    status: 719,
    says: /waits at the barrier of line 2 that 5 of 32 threads never reached/,
  },
  {
    what: "threads at different barriers",
    source: "if (threadIdx.x < 16)\n__syncthreads();\nelse\n__syncthreads();",
    status: 719,
    says: /thread \(16, 0, 0\) waits at the barrier of line 4, thread 0 at that of line 2/,
  },
  {
    what: "a shuffle that a lane of its mask never comes to",
    source: "if (threadIdx.x != 3) x[threadIdx.x] = __shfl_xor_sync(0xffffffffu, x[0], 1);",
    status: 719,
    says: /waits for lanes of mask 0xffffffff that never come/,
  },
  {
    what: "a shuffle from a lane outside its mask",
    source: "if (threadIdx.x < 16) x[threadIdx.x] = __shfl_down_sync(0x0000ffffu, x[0], 1);",
    status: 719,
    says: /reads lane 16, which is not in mask 0x0000ffff/,
  },
  {
    what: "a trap",
    source: "if (threadIdx.x == 7) __trap();",
    status: 719,
    says: /thread \(7, 0, 0\): ran into __trap/,
  },
  {
    what: "local arrays beyond the stack",
    source: "volatile float big[20000];\nbig[threadIdx.x] = 1; x[0] = big[threadIdx.x];",
    status: 719,
    says: /needs more than the 65536 bytes of stack/,
  },
  {
    what: "dynamic shared memory beyond what the launch gave",
    source: "extern __shared__ float tile[];\ntile[threadIdx.x + 64] = 1; x[0] = tile[70];",
    launch: { shared: 256 },
    status: 700,
    says: /accesses 0x/,
  },
  {
    what: "too many threads",
    source: "x[0] = 3;",
    launch: { threads: 1056 },
    status: 1,
    says: /a block of \(1056, 1, 1\) threads exceeds 1024/,
  },
  {
    what: "more threads than the launch bounds",
    source: "x[0] = 2;",
    bounds: "__launch_bounds__(256)",
    launch: { threads: 512 },
    status: 701,
    says: /512 threads a block exceed its launch bounds of 256/,
  },
  {
    what: "an empty grid",
    source: "x[0] = 4;",
    launch: { blocks: 0 },
    status: 1,
    says: /is empty/,
  },
  {
    what: "dynamic shared memory above 48 KiB without the attribute",
    source: "extern __shared__ float tile[];\ntile[0] = 1; x[0] = tile[0];",
    launch: { shared: 48 * 1024 + 4 },
    status: 1,
    says: /0 static and 49156 dynamic bytes of shared memory exceed 49152/,
  },
  {
    what: "static and dynamic shared memory above 48 KiB together",
    source:
      "__shared__ float tile[8192];\ntile[threadIdx.x] = 1; __syncthreads(); x[0] = tile[31];",
    launch: { shared: 32 * 1024 },
    status: 1,
    says: /32768 static and 32768 dynamic bytes/,
  },
];

/** The kernels of all faults with the same options, as one text: compiling takes longest. */
function kernelOf(device: TestDevice, fault: Fault): bigint {
  const together = FAULTS.filter(({ options }) => options === fault.options);
  const texts = together.map(({ source, bounds = "" }) =>
    `extern "C" __global__ void ${bounds} test${FAULTS.findIndex((f) => f.source === source)}` +
    `(float *x) {\n#line 1\n${source}\n}`
  );
  const name = `test${FAULTS.findIndex(({ source }) => source === fault.source)}`;
  return device.kernel(texts.join("\n"), name, fault.options);
}

for (const fault of FAULTS) {
  testOnDevice(`The device reports ${fault.what}`, (device) => {
    const kernel = kernelOf(device, fault);
    const launch = { ...fault.launch, args: (fault.args ?? hundred)(device) };
    const error = assertThrows(() => device.run(kernel, launch), CudaError);
    assertEquals(error.status, fault.status);
    assertMatch(error.message, fault.says);
  });
}

testOnDevice("A context is lost after an illegal address, and says so in every call", (device) => {
  const kernel = kernelOf(device, FAULTS[0]);
  device.launch(kernel, { args: hundred(device) });
  assertThrows(() => device.driver.synchronize(), CudaError, "ILLEGAL_ADDRESS");
  assertThrows(() => device.driver.allocate(4), CudaError, "kernel test0, block (0, 0, 0)");
});

testOnDevice("Raised by its attribute, dynamic shared memory goes up to 227 KiB", (device) => {
  const source = `extern "C" __global__ void test(float *x) {
    extern __shared__ float tile[];
    tile[227 * 256 - 1 - threadIdx.x] = threadIdx.x;
    __syncthreads();
    x[threadIdx.x] = tile[227 * 256 - 1 - threadIdx.x];
  }`;
  const kernel = device.kernel(source, "test");
  device.driver.allowShared(kernel, 227 * 1024);
  const [x] = hundred(device) as [bigint];
  device.run(kernel, { args: [x], shared: 227 * 1024 });
  assertEquals(device.download(x, 32)[31], 31);
  assertThrows(() => device.driver.allowShared(kernel, 228 * 1024), CudaError);
});

testOnDevice("A missing barrier shows in one of the two orders", (device) => {
  const source = `extern "C" __global__ void test(float *x) {
    __shared__ float tile[64];
    tile[threadIdx.x] = threadIdx.x;
    x[threadIdx.x] = tile[(threadIdx.x + 63) % 64];
  }`;
  const kernel = device.kernel(source, "test");
  const run = (order: string) =>
    withSetting("SIAMBAN_EMULATED_ORDER", order, () => {
      const x = device.upload(new Float32Array(64));
      device.run(kernel, { args: [x], threads: 64 });
      return device.download(x, 64)[20];
    });
  assertEquals([run("forward"), run("reverse")], [19, NaN]);
});

testOnDevice("Memory runs out where SIAMBAN_EMULATED_MEMORY says", (device) => {
  withSetting("SIAMBAN_EMULATED_MEMORY", "1000000", () => {
    assertEquals(device.driver.memoryInfo(), { free: 1000000, total: 1000000 });
    const address = device.driver.allocate(600000)!;
    assertEquals(device.driver.memoryInfo().free, 400000);
    assertEquals(device.driver.allocate(500000), undefined);
    device.driver.free(address);
    device.driver.free(device.driver.allocate(900000)!);
  });
});

testOnDevice("Memory is freed once", (device) => {
  const address = device.driver.allocate(400)!;
  device.driver.free(address);
  assertThrows(() => device.driver.free(address), CudaError, "already freed");
  assertThrows(() => device.driver.free(hundred(device)[0] as bigint + 4n), CudaError);
});

testOnDevice("A copy beyond an allocation is reported", (device) => {
  const [from] = hundred(device) as [bigint];
  const host = new Float32Array(101);
  const error = assertThrows(() => device.driver.copyToHost(host, from, 0n), CudaError);
  assertEquals(error.status, 700);
  assertStringIncludes(error.message, "404 bytes at");
});

testOnDevice("What is no module of the device is refused", (device) => {
  const elf = new Uint8Array(4096);
  assertThrows(() => device.driver.loadModule(elf), CudaError, "CUDA_ERROR_INVALID_IMAGE");
});

Deno.test({
  name: "The host cannot read device memory with SIAMBAN_EMULATED_STRICT=1",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const { missing } = await import("./device.ts");
    if (missing) return;
    const script = `
      import { TestDevice } from ${JSON.stringify(new URL("device.ts", import.meta.url).href)};
      import { emulatedLibrary } from ${
      JSON.stringify(
        new URL("../../../../src/backends/cuda/emulated.ts", import.meta.url).href,
      )
    };
      const device = new TestDevice(await emulatedLibrary());
      const address = device.upload(new Float32Array(8).fill(3));
      console.log(device.download(address, 8)[7]);
      console.log(new Deno.UnsafePointerView(Deno.UnsafePointer.create(address)).getFloat32());`;
    const config = new URL("../../../../deno.json", import.meta.url).pathname;
    const command = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--config", config, script],
      env: { SIAMBAN_EMULATED_STRICT: "1" },
    });
    const { signal, stdout } = await command.output();
    assertEquals([signal, new TextDecoder().decode(stdout)], ["SIGSEGV", "3\n"]);
  },
});
