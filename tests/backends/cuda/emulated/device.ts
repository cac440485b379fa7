import { Driver } from "../../../../src/backends/cuda/bindings/driver.ts";
import { Nvrtc } from "../../../../src/backends/cuda/bindings/nvrtc.ts";
import { emulatedLibrary } from "../../../../src/backends/cuda/emulated.ts";
import { librariesFrom } from "../../../../src/backends/cuda/libraries.ts";
import { ParameterBlock } from "../../../../src/ffi/memory.ts";

/** Compiled texts: a device that was reset loads them again. */
const images = new Map<string, Uint8Array<ArrayBuffer>>();

/** A kernel's argument: an address, an int32 or a float32. */
export type Argument = bigint | number | { readonly float: number };

/** How a kernel is launched. */
export interface TestLaunch {
  readonly args: readonly Argument[];
  /** Threads a block, by default 32. */
  readonly threads?: number;
  /** Blocks, by default 1. */
  readonly blocks?: number;
  /** Bytes of dynamic shared memory. */
  readonly shared?: number;
  readonly stream?: bigint;
}

/** The emulated device through the bindings that a card is driven with, kernels as texts. */
export class TestDevice {
  readonly driver: Driver;
  readonly nvrtc: Nvrtc;
  /** The library's file. */
  readonly library: string;
  readonly #modules = new Map<string, bigint>();

  constructor(library: string) {
    this.library = library;
    const libraries = librariesFrom(library);
    this.driver = new Driver(libraries.driver);
    this.nvrtc = new Nvrtc(libraries.nvrtc);
    this.driver.init();
    this.driver.retainContext(this.driver.device(0));
  }

  /**
   * Compiles a text.
   *
   * @throws {SyntaxError} If it does not compile, with the log.
   */
  compile(source: string, options: readonly string[] = []): Uint8Array<ArrayBuffer> {
    const { image, log } = this.nvrtc.compile({
      name: "test.cu",
      source,
      headers: {},
      options: ["--gpu-architecture=sm_90", ...options],
    });
    if (image === undefined) throw new SyntaxError(log);
    return image;
  }

  /** Compiles a text, once, and gives one of its kernels. */
  kernel(source: string, name: string, options: readonly string[] = []): bigint {
    const key = [...options, source].join("\n");
    let module = this.#modules.get(key);
    if (module === undefined) {
      let image = images.get(key);
      if (!image) images.set(key, image = this.compile(source, options));
      module = this.driver.loadModule(image).address;
      this.#modules.set(key, module);
    }
    return this.driver.getFunction(module, name);
  }

  /** Ends all that belongs to the context, a failure too. */
  reset(): void {
    const symbols = { cuDevicePrimaryCtxReset_v2: { parameters: ["i32"], result: "i32" } } as const;
    Deno.dlopen(this.library, symbols).symbols.cuDevicePrimaryCtxReset_v2(0);
  }

  /** Queues a launch. */
  launch(
    kernel: bigint,
    { args, threads = 32, blocks = 1, shared = 0, stream = 0n }: TestLaunch,
  ): void {
    const block = new ParameterBlock();
    for (const arg of args) {
      if (typeof arg === "bigint") block.address(arg);
      else if (typeof arg === "number") block.int32(arg);
      else block.float32(arg.float);
    }
    this.driver.launch({
      function: kernel,
      grid: [blocks, 1, 1],
      block: [threads, 1, 1],
      shared,
      stream,
      parameters: block.table,
    });
  }

  /** Queues a launch and waits for it. */
  run(kernel: bigint, launch: TestLaunch): void {
    this.launch(kernel, launch);
    this.driver.synchronize();
  }

  /** Device memory with these values. */
  upload(values: ArrayBufferView<ArrayBufferLike>): bigint {
    const address = this.driver.allocate(values.byteLength)!;
    this.driver.copyToDevice(address, values, 0n);
    return address;
  }

  /** Floats of device memory, after all that was queued on the legacy stream. */
  download(address: bigint, length: number): Float32Array<ArrayBuffer> {
    const values = new Float32Array(length);
    this.driver.copyToHost(values, address, 0n);
    this.driver.synchronizeStream(0n);
    return values;
  }
}

/** Why the emulated device cannot be built here; nothing if it can. */
export const missing: string | undefined = await whyMissing();

async function whyMissing(): Promise<string | undefined> {
  try {
    await emulatedLibrary();
  } catch (error) {
    return (error as Error).message;
  }
}

/** A copy of the library: its device breaks in these tests, and nobody else's with it. */
const copy = missing ? "" : await copyOfLibrary();

async function copyOfLibrary(): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".so" });
  await Deno.copyFile(await emulatedLibrary(), file);
  addEventListener("unload", () => Deno.removeSync(file));
  return file;
}

/** Registers a test on a device as if just switched on; ignored, with the reason, without g++. */
export function testOnDevice(
  name: string,
  run: (device: TestDevice) => void | Promise<void>,
): void {
  Deno.test({
    name: missing ? `${name} (${missing.split("\n")[0]})` : name,
    ignore: missing !== undefined,
    async fn() {
      const device = new TestDevice(copy);
      try {
        await run(device);
      } finally {
        device.reset();
      }
    },
  });
}

/** Runs something with an environment variable set. */
export function withSetting<T>(name: string, value: string, run: () => T): T {
  Deno.env.set(name, value);
  try {
    return run();
  } finally {
    Deno.env.delete(name);
  }
}
