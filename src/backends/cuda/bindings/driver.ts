import { type Library, type LibraryOptions, openLibrary } from "../../../ffi/library.ts";
import { cString, toCString } from "../../../ffi/memory.ts";
import { NativeHandle } from "../../../ffi/handle.ts";
import { DRIVER_SYMBOLS as symbols, DRIVER_VALUES as VALUES } from "./driver_symbols.ts";
import { type Checked, checker } from "./status.ts";

/** Statuses that a caller tells from others. */
export const DRIVER_STATUS = {
  outOfMemory: VALUES.CUDA_ERROR_OUT_OF_MEMORY,
  notReady: VALUES.CUDA_ERROR_NOT_READY,
} as const;

/** Properties of a card. */
const ATTRIBUTE = {
  maxThreadsPerBlock: VALUES.CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK,
  maxSharedPerBlock: VALUES.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK,
  warpSize: VALUES.CU_DEVICE_ATTRIBUTE_WARP_SIZE,
  clockRate: VALUES.CU_DEVICE_ATTRIBUTE_CLOCK_RATE,
  multiprocessors: VALUES.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT,
  memoryClockRate: VALUES.CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE,
  busWidth: VALUES.CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH,
  l2CacheSize: VALUES.CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE,
  computeMajor: VALUES.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR,
  computeMinor: VALUES.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR,
  maxSharedPerBlockOptIn: VALUES.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN,
} as const;

/** Grid and block of a launch, in order x, y, z. */
export type Extent = readonly [number, number, number];

/** A kernel launch as the driver takes it. */
export interface DriverLaunch {
  readonly function: bigint;
  readonly grid: Extent;
  readonly block: Extent;
  /** Bytes of dynamic shared memory. */
  readonly shared: number;
  readonly stream: bigint;
  /** Addresses of the arguments. */
  readonly parameters: BigUint64Array<ArrayBuffer>;
}

/** What of a device the program uses. */
export type DeviceProperties = { readonly [K in keyof typeof ATTRIBUTE]: number } & {
  readonly name: string;
  readonly totalBytes: number;
};

/** `libcuda`: devices, memory, streams, modules, graphs. Every status is checked and named. */
export class Driver {
  readonly #library: Library<typeof symbols>;
  readonly #check: Checked;
  readonly #cell = new BigUint64Array(1);
  readonly #int = new Int32Array(1);
  /** Bytes brought to the device so far. */
  uploadedBytes = 0;

  /** Opens nothing. */
  constructor(places: LibraryOptions) {
    this.#library = openLibrary(places, symbols);
    this.#check = checker((status) => this.#words(status));
  }

  /** The opened file. */
  get location(): string {
    return this.#library.location();
  }

  get #cuda() {
    return this.#library();
  }

  #words(status: number): string {
    const text = (get: "cuGetErrorName" | "cuGetErrorString") => {
      this.#cell[0] = 0n;
      this.#cuda[get](status, this.#cell);
      return cString(Deno.UnsafePointer.create(this.#cell[0]));
    };
    return `${text("cuGetErrorName") || "unknown error"}: ${text("cuGetErrorString")}`;
  }

  /** Starts the driver; again is no harm. */
  init(): void {
    this.#check("cuInit", this.#cuda.cuInit(0));
  }

  /** CUDA version that the driver knows, 1000 · major + 10 · minor. */
  version(): number {
    this.#check("cuDriverGetVersion", this.#cuda.cuDriverGetVersion(this.#int));
    return this.#int[0];
  }

  /** Number of cards. */
  deviceCount(): number {
    this.#check("cuDeviceGetCount", this.#cuda.cuDeviceGetCount(this.#int));
    return this.#int[0];
  }

  /** The card of a number. */
  device(ordinal: number): number {
    this.#check("cuDeviceGet", this.#cuda.cuDeviceGet(this.#int, ordinal));
    return this.#int[0];
  }

  /** What a card is. */
  properties(device: number): DeviceProperties {
    const name = new Uint8Array(256);
    this.#check("cuDeviceGetName", this.#cuda.cuDeviceGetName(name, name.length, device));
    this.#check("cuDeviceTotalMem_v2", this.#cuda.cuDeviceTotalMem_v2(this.#cell, device));
    const totalBytes = Number(this.#cell[0]);
    const attributes = Object.entries(ATTRIBUTE).map(([key, code]) => {
      this.#check("cuDeviceGetAttribute", this.#cuda.cuDeviceGetAttribute(this.#int, code, device));
      return [key, this.#int[0]];
    });
    return {
      ...Object.fromEntries(attributes) as { [K in keyof typeof ATTRIBUTE]: number },
      name: new TextDecoder().decode(name.subarray(0, name.indexOf(0))),
      totalBytes,
    };
  }

  /** Tells a card from all others, of other machines too; 16 bytes. */
  uuid(device: number): Uint8Array {
    const uuid = new Uint8Array(16);
    this.#check("cuDeviceGetUuid_v2", this.#cuda.cuDeviceGetUuid_v2(uuid, device));
    return uuid;
  }

  /** The context that the CUDA libraries share; it becomes current on this thread. */
  retainContext(device: number): NativeHandle {
    const context = new NativeHandle(
      (out) =>
        this.#check("cuDevicePrimaryCtxRetain", this.#cuda.cuDevicePrimaryCtxRetain(out, device)),
      () =>
        this.#check(
          "cuDevicePrimaryCtxRelease_v2",
          this.#cuda.cuDevicePrimaryCtxRelease_v2(device),
        ),
    );
    this.#check("cuCtxSetCurrent", this.#cuda.cuCtxSetCurrent(context.address));
    return context;
  }

  /** Waits for all work of the context. */
  synchronize(): void {
    this.#check("cuCtxSynchronize", this.#cuda.cuCtxSynchronize());
  }

  /** Free and total bytes of the current context's card. */
  memoryInfo(): { readonly free: number; readonly total: number } {
    const free = new BigUint64Array(1), total = new BigUint64Array(1);
    this.#check("cuMemGetInfo_v2", this.#cuda.cuMemGetInfo_v2(free, total));
    return { free: Number(free[0]), total: Number(total[0]) };
  }

  /** Device memory; nothing when there is not enough. */
  allocate(bytes: number): bigint | undefined {
    const status = this.#cuda.cuMemAlloc_v2(this.#cell, BigInt(bytes));
    if (status === DRIVER_STATUS.outOfMemory) return undefined;
    this.#check("cuMemAlloc_v2", status);
    return this.#cell[0];
  }

  /** Frees device memory, after all work that was queued. */
  free(address: bigint): void {
    this.#check("cuMemFree_v2", this.#cuda.cuMemFree_v2(address));
  }

  /** Host memory that the card reads and writes on its own. */
  allocatePinned(bytes: number): NativeHandle {
    return new NativeHandle(
      (out) => this.#check("cuMemHostAlloc", this.#cuda.cuMemHostAlloc(out, BigInt(bytes), 0)),
      (address) => this.#check("cuMemFreeHost", this.#cuda.cuMemFreeHost(address)),
    );
  }

  /** Makes memory of the host such that the card reads it on its own; nothing where that is refused. */
  registerHost(address: bigint, bytes: number): Disposable | undefined {
    const status = this.#cuda.cuMemHostRegister_v2(address, BigInt(bytes), 0);
    if (status !== 0) return undefined;
    return {
      [Symbol.dispose]: () =>
        this.#check("cuMemHostUnregister", this.#cuda.cuMemHostUnregister(address)),
    };
  }

  /** Queues a copy to the device. Pageable memory may be changed at once, pinned memory when it is done. */
  copyToDevice(to: bigint, from: ArrayBufferView<ArrayBufferLike>, stream: bigint): void {
    const bytes = BigInt(from.byteLength);
    if (bytes === 0n) return;
    this.uploadedBytes += from.byteLength;
    this.#check(
      "cuMemcpyHtoDAsync_v2",
      this.#cuda.cuMemcpyHtoDAsync_v2(to, from as ArrayBufferView<ArrayBuffer>, bytes, stream),
    );
  }

  /** Queues a copy to the host; valid when the stream got there. */
  copyToHost(to: ArrayBufferView<ArrayBuffer>, from: bigint, stream: bigint): void {
    const bytes = BigInt(to.byteLength);
    if (bytes === 0n) return;
    const status = this.#cuda.cuMemcpyDtoHAsync_v2(to, from, bytes, stream);
    this.#check("cuMemcpyDtoHAsync_v2", status);
  }

  /** Queues a copy on the device. */
  copy(to: bigint, from: bigint, { bytes, stream }: { bytes: number; stream: bigint }): void {
    const status = this.#cuda.cuMemcpyDtoDAsync_v2(to, from, BigInt(bytes), stream);
    this.#check("cuMemcpyDtoDAsync_v2", status);
  }

  /** Queues filling with a byte. */
  fillBytes(to: bigint, value: number, { count, stream }: { count: number; stream: bigint }): void {
    const status = this.#cuda.cuMemsetD8Async(to, value, BigInt(count), stream);
    this.#check("cuMemsetD8Async", status);
  }

  /** Queues filling with a 16-bit word. */
  fillHalves(
    to: bigint,
    value: number,
    { count, stream }: { count: number; stream: bigint },
  ): void {
    const status = this.#cuda.cuMemsetD16Async(to, value, BigInt(count), stream);
    this.#check("cuMemsetD16Async", status);
  }

  /** Queues filling with a 32-bit word. */
  fillWords(to: bigint, value: number, { count, stream }: { count: number; stream: bigint }): void {
    const status = this.#cuda.cuMemsetD32Async(to, value >>> 0, BigInt(count), stream);
    this.#check("cuMemsetD32Async", status);
  }

  /** A stream without implied order with others, the legacy stream included. */
  createStream(): NativeHandle {
    const flags = VALUES.CU_STREAM_NON_BLOCKING;
    return new NativeHandle(
      (out) => this.#check("cuStreamCreate", this.#cuda.cuStreamCreate(out, flags)),
      (stream) => this.#check("cuStreamDestroy_v2", this.#cuda.cuStreamDestroy_v2(stream)),
    );
  }

  /** Waits, here, for what was queued. */
  synchronizeStream(stream: bigint): void {
    this.#check("cuStreamSynchronize", this.#cuda.cuStreamSynchronize(stream));
  }

  /** What is queued from now on waits for an event. */
  waitEvent(stream: bigint, event: bigint): void {
    this.#check("cuStreamWaitEvent", this.#cuda.cuStreamWaitEvent(stream, event, 0));
  }

  /** An event; `timing` makes it a clock. */
  createEvent({ timing = false }: { readonly timing?: boolean } = {}): NativeHandle {
    const flags = timing ? VALUES.CU_EVENT_DEFAULT : VALUES.CU_EVENT_DISABLE_TIMING;
    return new NativeHandle(
      (out) => this.#check("cuEventCreate", this.#cuda.cuEventCreate(out, flags)),
      (event) => this.#check("cuEventDestroy_v2", this.#cuda.cuEventDestroy_v2(event)),
    );
  }

  /** Marks a place in a stream. */
  recordEvent(event: bigint, stream: bigint): void {
    this.#check("cuEventRecord", this.#cuda.cuEventRecord(event, stream));
  }

  /** Whether a stream has passed the event. */
  queryEvent(event: bigint): boolean {
    const status = this.#cuda.cuEventQuery(event);
    if (status === DRIVER_STATUS.notReady) return false;
    this.#check("cuEventQuery", status);
    return true;
  }

  /** Waits, here, for an event. */
  synchronizeEvent(event: bigint): void {
    this.#check("cuEventSynchronize", this.#cuda.cuEventSynchronize(event));
  }

  /** Milliseconds between two timing events that have passed. */
  elapsed(start: bigint, end: bigint): number {
    const ms = new Float32Array(1);
    this.#check("cuEventElapsedTime", this.#cuda.cuEventElapsedTime(ms, start, end));
    return ms[0];
  }

  /** Loads a cubin, or PTX with its final zero. */
  loadModule(image: Uint8Array<ArrayBuffer>): NativeHandle {
    return new NativeHandle(
      (out) => this.#check("cuModuleLoadData", this.#cuda.cuModuleLoadData(out, image)),
      (module) => this.#check("cuModuleUnload", this.#cuda.cuModuleUnload(module)),
    );
  }

  /** A function of a module; it lives as long as that. */
  getFunction(module: bigint, name: string): bigint {
    const status = this.#cuda.cuModuleGetFunction(this.#cell, module, toCString(name));
    this.#check(`cuModuleGetFunction("${name}")`, status);
    return this.#cell[0];
  }

  /** Lets a function take more dynamic shared memory than the usual 48 KiB. */
  allowShared(kernel: bigint, bytes: number): void {
    const { CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES: attribute } = VALUES;
    const status = this.#cuda.cuFuncSetAttribute(kernel, attribute, bytes);
    this.#check("cuFuncSetAttribute", status);
  }

  /** Queues a kernel. */
  launch({ function: kernel, grid, block, shared, stream, parameters }: DriverLaunch): void {
    this.#check(
      "cuLaunchKernel",
      this.#cuda.cuLaunchKernel(
        kernel,
        grid[0],
        grid[1],
        grid[2],
        block[0],
        block[1],
        block[2],
        shared,
        stream,
        parameters,
        null,
      ),
    );
  }

  /** From here on work queued in `stream` is written down instead of done; this thread may allocate meanwhile. */
  beginCapture(stream: bigint): void {
    const { CU_STREAM_CAPTURE_MODE_RELAXED: mode } = VALUES;
    const status = this.#cuda.cuStreamBeginCapture_v2(stream, mode);
    this.#check("cuStreamBeginCapture_v2", status);
  }

  /** Ends a capture and makes what was written down runnable. */
  endCapture(stream: bigint): NativeHandle {
    const cell = new BigUint64Array(1);
    this.#check("cuStreamEndCapture", this.#cuda.cuStreamEndCapture(stream, cell));
    const graph = cell[0];
    try {
      return new NativeHandle(
        (out) =>
          this.#check(
            "cuGraphInstantiateWithFlags",
            this.#cuda.cuGraphInstantiateWithFlags(out, graph, 0n),
          ),
        (exec) => this.#check("cuGraphExecDestroy", this.#cuda.cuGraphExecDestroy(exec)),
      );
    } finally {
      this.#check("cuGraphDestroy", this.#cuda.cuGraphDestroy(graph));
    }
  }

  /** Ends a capture that failed, whatever state it is in. */
  abandonCapture(stream: bigint): void {
    const cell = new BigUint64Array(1);
    this.#cuda.cuStreamEndCapture(stream, cell);
    if (cell[0] !== 0n) this.#cuda.cuGraphDestroy(cell[0]);
  }

  /** Queues a whole graph. */
  launchGraph(exec: bigint, stream: bigint): void {
    this.#check("cuGraphLaunch", this.#cuda.cuGraphLaunch(exec, stream));
  }
}
