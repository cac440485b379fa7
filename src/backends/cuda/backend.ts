import * as tf from "@tensorflow/tfjs";
import type { DataType, NamedAttrMap, TensorInfo } from "@tensorflow/tfjs";
import type { NativeHandle } from "../../ffi/handle.ts";
import { ParameterBlock } from "../../ffi/memory.ts";
import { Cudnn } from "./bindings/cudnn.ts";
import { type DeviceProperties, Driver, type Extent } from "./bindings/driver.ts";
import { Nvrtc } from "./bindings/nvrtc.ts";
import { HostKernels, type KernelInputs } from "./host_kernels.ts";
import { type CudaLibraries } from "./libraries.ts";
import { type DeviceBlock, MemoryPool } from "./memory_pool.ts";
import { type CudaProgram, type Defines, ProgramCache } from "./program.ts";
import {
  FORMAT_BYTES,
  FORMAT_TYPE,
  formatOf,
  type HostValues,
  type StorageFormat,
  toFormat,
} from "./storage.ts";
import { CudaStream } from "./stream.ts";

/** A number that a kernel takes as `float`; a bare number goes as `int`. */
export interface FloatArgument {
  readonly float: number;
}

/** Marks a launch argument as `float`. */
export function float(value: number): FloatArgument {
  return { float: value };
}

/** An argument of a launch: memory (absent is NULL), an `int`, or a `float`. */
export type LaunchArgument = TensorInfo | DeviceBlock | number | FloatArgument | undefined;

/** A launch of one function of a program. */
export interface Launch {
  /** Name of the function, `extern "C" __global__`. */
  readonly function: string;
  /** In the order of the function's parameters. */
  readonly args: readonly LaunchArgument[];
  /** Threads needed in all; the grid covers them. */
  readonly threads?: number;
  /** Blocks by axis, instead of `threads`. */
  readonly grid?: Extent;
  /** Threads of a block; 256 without it. */
  readonly block?: number | Extent;
  /** Bytes of dynamic shared memory. */
  readonly shared?: number;
  /** Element types by macro; without it `Element` is that of the first tensor. */
  readonly types?: Readonly<Record<string, TensorInfo | StorageFormat>>;
  /** Further macros. */
  readonly defines?: Defines;
}

/** Options of a {@linkcode CudaBackend}. */
export interface CudaOptions {
  /** Which card. */
  readonly device?: number;
  /** Waits after each launch and names it in errors. */
  readonly debug?: boolean;
}

/** Threads of a block where nothing else is asked. */
const BLOCK = 256;
/** Dynamic shared memory that every function may use. */
const USUAL_SHARED = 48 * 1024;

/** Data of tensors: on the device, or still on the host. */
interface TensorData {
  readonly dtype: DataType;
  readonly format: StorageFormat;
  readonly length: number;
  block?: DeviceBlock;
  /** Values that no kernel has asked for yet. */
  host?: HostValues;
  refCount: number;
  version: number;
}

/** Tensors in device memory, kernels in CUDA C++, convolutions in cuDNN. */
export class CudaBackend extends tf.KernelBackend {
  readonly driver: Driver;
  readonly cudnn: Cudnn;
  readonly properties: DeviceProperties;
  /** Where all work is queued, in order. */
  readonly stream: CudaStream;
  readonly pool: MemoryPool;
  readonly programs: ProgramCache;
  /** tfjs's own kernels, for ops without one here. */
  readonly hostKernels = new HostKernels();
  readonly #context: NativeHandle;
  readonly #data: tf.DataStorage<TensorData>;
  readonly #debug: boolean;
  readonly #block = new ParameterBlock();
  readonly #shared = new Map<bigint, number>();

  constructor(libraries: CudaLibraries, { device = 0, debug = false }: CudaOptions = {}) {
    super();
    this.driver = new Driver(libraries.driver);
    const nvrtc = new Nvrtc(libraries.nvrtc);
    this.cudnn = new Cudnn(libraries.cudnn);
    this.driver.init();
    const card = this.driver.device(device);
    this.properties = this.driver.properties(card);
    this.#context = this.driver.retainContext(card);
    this.stream = new CudaStream(this.driver);
    this.pool = new MemoryPool(this.driver);
    const { computeMajor, computeMinor } = this.properties;
    this.programs = new ProgramCache(this.driver, nvrtc, 10 * computeMajor + computeMinor);
    this.#data = new tf.DataStorage(this, tf.engine());
    this.#debug = debug;
  }

  // Kernels

  /** A new tensor; its values are whatever the memory held. */
  empty(
    shape: readonly number[],
    dtype: DataType = "float32",
    format: StorageFormat = formatOf(dtype),
  ): TensorInfo {
    const length = sizeOf(shape);
    const block = this.pool.take(length * FORMAT_BYTES[format]);
    return this.#insert([...shape], { dtype, format, length, block, refCount: 1, version: 0 });
  }

  /** A new tensor whose elements lie as those of another. */
  emptyLike(info: TensorInfo, shape: readonly number[] = info.shape): TensorInfo {
    return this.empty(shape, info.dtype, this.format(info));
  }

  /** Memory for a kernel's own use; release it after the launch: later work comes later. */
  scratch(bytes: number, purpose = "workspace"): DeviceBlock {
    return this.pool.take(bytes, purpose);
  }

  /** How a tensor's elements lie in device memory. */
  format(info: TensorInfo): StorageFormat {
    return this.#data.get(info.dataId).format;
  }

  /** Address of a tensor's memory; brings it to the device if need be. */
  address(info: TensorInfo): bigint {
    const data = this.#data.get(info.dataId);
    if (data.block === undefined) {
      const block = this.pool.take(data.length * FORMAT_BYTES[data.format]);
      this.driver.copyToDevice(block.address, data.host!, this.stream.address);
      data.block = block;
      data.host = undefined;
    }
    return data.block.address;
  }

  /**
   * Queues a kernel.
   *
   * @throws {CudaCompileError} If the program does not compile.
   * @throws {CudaError} If the launch is refused, or in debug mode fails.
   */
  launch(program: CudaProgram, launch: Launch): void {
    const { function: name, args, threads = 1, block = BLOCK, shared = 0 } = launch;
    const defines = { ...this.#types(launch), ...launch.defines };
    const kernel = this.programs.function(program, name, defines);
    if (shared > USUAL_SHARED && (this.#shared.get(kernel) ?? 0) < shared) {
      this.driver.allowShared(kernel, shared);
      this.#shared.set(kernel, shared);
    }
    const blockExtent: Extent = typeof block === "number" ? [block, 1, 1] : block;
    const perBlock = blockExtent[0] * blockExtent[1] * blockExtent[2];
    const grid: Extent = launch.grid ?? [Math.ceil(threads / perBlock), 1, 1];
    if (grid[0] * grid[1] * grid[2] === 0) return;
    this.driver.launch({
      function: kernel,
      grid,
      block: blockExtent,
      shared,
      stream: this.stream.address,
      parameters: this.#parameters(args),
    });
    if (this.#debug) this.stream.synchronize();
  }

  /**
   * Runs tfjs's own kernel on the host: a copy there and back, counted in {@linkcode hostKernels}.
   *
   * @throws {Error} If tfjs has none of that name.
   */
  onHost(
    kernelName: string,
    call: { readonly inputs: KernelInputs; readonly attrs: NamedAttrMap },
  ): TensorInfo | TensorInfo[] {
    const results = this.hostKernels.run(kernelName, call, ({ dataId }) => this.readSync(dataId));
    const infos = results.map(({ values, shape, dtype }) => ({
      dataId: this.write(values, [...shape], dtype),
      shape: [...shape],
      dtype,
    }));
    return infos.length === 1 ? infos[0] : infos;
  }

  #types({ types, args }: Launch): Defines {
    const named = types ?? { Element: args.find(isTensor) ?? "float32" };
    return Object.fromEntries(
      Object.entries(named).map(([macro, of]) => [
        macro,
        FORMAT_TYPE[typeof of === "string" ? of : this.format(of)],
      ]),
    );
  }

  #parameters(args: readonly LaunchArgument[]): BigUint64Array<ArrayBuffer> {
    const block = this.#block.clear();
    for (const argument of args) {
      if (typeof argument === "number") block.int32(argument);
      else if (argument === undefined) block.address(0n);
      else if ("float" in argument) block.float32(argument.float);
      else if (isTensor(argument)) block.address(this.address(argument));
      else block.address(argument.address);
    }
    return block.table;
  }

  // What the rest of the program needs of a backend that changes tensors in place

  /** A tensor that shares the data of another. */
  share(info: TensorInfo, shape: readonly number[] = info.shape): TensorInfo {
    this.incRef(info.dataId);
    return { dataId: info.dataId, shape: [...shape], dtype: info.dtype };
  }

  /** Counts the in-place changes of a tensor; whoever keeps something derived compares it. */
  version(info: TensorInfo): number {
    return this.#data.get(info.dataId).version;
  }

  /** Says that a kernel has changed a tensor in place. */
  touch(info: TensorInfo): void {
    this.#data.get(info.dataId).version++;
  }

  /** Overwrites a tensor in place. */
  overwrite(info: TensorInfo, values: ArrayLike<number>): void {
    const { format } = this.#data.get(info.dataId);
    const address = this.address(info);
    this.driver.copyToDevice(address, toFormat(values, format), this.stream.address);
    this.touch(info);
  }

  // tfjs's interface

  override write(values: tf.BackendValues, shape: number[], dtype: DataType): object {
    return this.#insert(shape, this.#hostData(values, shape, dtype, 1)).dataId;
  }

  override move(
    dataId: object,
    values: tf.BackendValues,
    shape: number[],
    dtype: DataType,
    refCount: number,
  ): void {
    this.#data.set(dataId, this.#hostData(values, shape, dtype, refCount));
  }

  #hostData(
    values: tf.BackendValues | null,
    shape: readonly number[],
    dtype: DataType,
    refCount: number,
  ): TensorData {
    const format = formatOf(dtype);
    const length = sizeOf(shape);
    // A copy: the device takes the values later, and the caller may change them meanwhile.
    const host = toFormat((values ?? new Array(length).fill(0)) as ArrayLike<number>, format)
      .slice();
    return { dtype, format, length, host, refCount, version: 0 };
  }

  #insert(shape: number[], data: TensorData): TensorInfo {
    const dataId = {};
    this.#data.set(dataId, data);
    return { dataId, shape, dtype: data.dtype };
  }

  override readSync(dataId: object): tf.BackendValues {
    const data = this.#data.get(dataId);
    if (data.host) return data.host.slice();
    const values = hostArray(data);
    this.driver.copyToHost(values, data.block!.address, this.stream.address);
    this.stream.synchronize();
    return values;
  }

  override async read(dataId: object): Promise<tf.BackendValues> {
    const data = this.#data.get(dataId);
    if (data.host) return data.host.slice();
    await this.stream.passed();
    return this.readSync(dataId);
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.#data.has(dataId)) return true;
    const data = this.#data.get(dataId);
    if (--data.refCount > 0 && !force) return false;
    if (data.block) data.block.pool.release(data.block);
    this.#data.delete(dataId);
    return true;
  }

  override refCount(dataId: object): number {
    return this.#data.has(dataId) ? this.#data.get(dataId).refCount : 0;
  }

  override incRef(dataId: object): void {
    this.#data.get(dataId).refCount++;
  }

  override numDataIds(): number {
    return this.#data.numDataIds();
  }

  override timerAvailable(): boolean {
    return false;
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override memory(): { unreliable: boolean; reasons: string[] } {
    return { unreliable: false, reasons: [] };
  }

  override dispose(): void {
    this.stream[Symbol.dispose]();
    this.programs[Symbol.dispose]();
    this.pool[Symbol.dispose]();
    this.#context[Symbol.dispose]();
  }
}

/** Number of elements. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

function isTensor(argument: LaunchArgument): argument is TensorInfo {
  return typeof argument === "object" && "dataId" in argument;
}

function hostArray({ format, length }: TensorData): HostValues & ArrayBufferView<ArrayBuffer> {
  if (format === "float32") return new Float32Array(length);
  if (format === "int32") return new Int32Array(length);
  return new Uint8Array(length);
}
