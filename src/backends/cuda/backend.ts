import * as tf from "@tensorflow/tfjs";
import type {
  DataType,
  KernelConfig,
  NamedAttrMap,
  NamedTensorMap,
  TensorInfo,
} from "@tensorflow/tfjs";
import type { NativeHandle } from "../../ffi/handle.ts";
import type {
  ByteBackend,
  InferenceRecordingBackend,
  InPlaceBackend,
  RecordedStep,
  RecordingBackend,
  StepInputs,
} from "../in_place_backend.ts";
import { Cudnn } from "./bindings/cudnn.ts";
import { CudnnGraphs } from "./bindings/cudnn_graph.ts";
import { type DeviceProperties, Driver } from "./bindings/driver.ts";
import { Nvrtc } from "./bindings/nvrtc.ts";
import { Communicators } from "./communicators.ts";
import { Convolutions, type Precision } from "./convolutions.ts";
import { Derived } from "./derived.ts";
import { HostKernels, type KernelInputs } from "./host_kernels.ts";
import { convert } from "./kernels/convert.ts";
import { type Launch, Launcher } from "./launcher.ts";
import type { CudaLibraries } from "./libraries.ts";
import { timeOnDevice } from "./measure.ts";
import { type DeviceBlock, MemoryPool, type MemoryStatistics } from "./memory_pool.ts";
import { PinnedMemory } from "./pinned_memory.ts";
import { type CudaProgram, ProgramCache } from "./program.ts";
import { recordStep } from "./record_step.ts";
import type { Recording } from "./recording.ts";
import { readTensor, readTensorSync } from "./read_tensor.ts";
import { FORMAT_BYTES, formatOf, type StorageFormat, toFormat } from "./storage.ts";
import { CudaStream } from "./stream.ts";
import { sizeOf, TensorStore } from "./tensor_store.ts";

export { float, type Launch, type LaunchArgument } from "./launcher.ts";
export { sizeOf } from "./tensor_store.ts";

/** Options of a {@linkcode CudaBackend}. */
export interface CudaOptions {
  /** This process among those on its machine, from 0; see {@linkcode BackendOptions}. */
  readonly localRank?: number;
  /** How float32 is computed with. */
  readonly precision?: Precision;
  /** Same bits at each run. */
  readonly deterministic?: boolean;
  /** Tries cuDNN's algorithms at the first use of a shape; else its estimate decides. */
  readonly measure?: boolean;
  /** Waits after each launch, so that a fault is told where it happened. */
  readonly deviceDebug?: boolean;
  /** NVRTC's options beside those that every program has. */
  readonly compileOptions?: readonly string[];
}

/** What a backend has done so far. */
export interface CudaStatistics {
  readonly memory: MemoryStatistics;
  /** Kernels launched, cuDNN's not counted. */
  readonly launches: number;
  /** Calls of tfjs's own kernels on the host, by name: each costs a copy there and back. */
  readonly hostKernels: ReadonlyMap<string, number>;
  /** Programs compiled, those found on the disk not counted. */
  readonly compiled: number;
  /** Bytes brought to the device. */
  readonly uploadedBytes: number;
}

/** Tensors in device memory, kernels in CUDA C++, convolutions in cuDNN. */
export class CudaBackend extends tf.KernelBackend
  implements InPlaceBackend, RecordingBackend, InferenceRecordingBackend, ByteBackend {
  /** {@linkcode RecordingBackend.queues} */
  readonly queues = true;
  readonly driver: Driver;
  readonly nvrtc: Nvrtc;
  readonly cudnn: Cudnn;
  readonly properties: DeviceProperties;
  /** Where all work is queued, in order. */
  readonly stream: CudaStream;
  /** Where inputs are brought while work goes on. */
  readonly copies: CudaStream;
  readonly pinned: PinnedMemory;
  readonly convolutions: Convolutions;
  /** The ways to the cards of other ranks. */
  readonly communicators: Communicators;
  /** What was made from weights. */
  readonly derived: Derived;
  /** The format in which kernels should store large float32 tensors. */
  readonly activationFormat: "float32" | "bfloat16";
  readonly #context: NativeHandle;
  readonly #memory: MemoryPool;
  readonly #programs: ProgramCache;
  readonly #launcher: Launcher;
  readonly #hostKernels = new HostKernels();
  readonly #tensors: TensorStore;
  #recording: Recording | undefined;
  #overwrites = 0;
  #operation = "tensors";

  /** @param libraries Where NVIDIA's libraries are. */
  constructor(readonly libraries: CudaLibraries, options: CudaOptions = {}) {
    super();
    const { localRank = 0, precision = "float32", deviceDebug: debug = false } = options;
    this.driver = new Driver(libraries.driver);
    this.nvrtc = new Nvrtc(libraries.nvrtc);
    this.cudnn = new Cudnn(libraries.cudnn);
    this.driver.init();
    const card = this.driver.device(localRank % this.driver.deviceCount());
    this.properties = this.driver.properties(card);
    this.#context = this.driver.retainContext(card);
    this.stream = new CudaStream(this.driver);
    this.copies = new CudaStream(this.driver);
    this.#memory = new MemoryPool(this.driver, { reuse: !debug });
    this.pinned = new PinnedMemory(this.driver);
    const { computeMajor, computeMinor } = this.properties;
    this.#programs = new ProgramCache(this.driver, this.nvrtc, {
      capability: 10 * computeMajor + computeMinor,
      compileOptions: options.compileOptions,
    });
    this.#launcher = new Launcher({
      driver: this.driver,
      programs: this.#programs,
      stream: this.stream,
      memory: this,
      properties: this.properties,
      debug,
    });
    this.convolutions = new Convolutions(this.cudnn, {
      stream: this.stream.address,
      graphs: new CudnnGraphs(libraries.cudnn),
      pool: () => this.#pool,
      options: {
        precision,
        deterministic: options.deterministic ?? false,
        measure: options.measure ?? true,
        driver: this.driver,
        time: (queue) => timeOnDevice(this, queue, 3),
      },
    });
    this.communicators = new Communicators(libraries, { uuid: this.driver.uuid(card) });
    this.activationFormat = precision === "bf16" ? "bfloat16" : "float32";
    this.derived = new Derived({
      version: (info) => this.version(info),
      take: (bytes) => this.#lasting(bytes, "filters"),
    });
    this.#tensors = new TensorStore(this, (values, bytes) => {
      const block = this.#lasting(bytes, "constants");
      this.#copyIn(block.address, values);
      return block;
    });
  }

  // Kernels

  /** A new tensor; its values are whatever the memory held. */
  empty(
    shape: readonly number[],
    dtype: DataType = "float32",
    format: StorageFormat = formatOf(dtype),
  ): TensorInfo {
    const block = this.#take(sizeOf(shape) * FORMAT_BYTES[format], this.#operation, shape);
    return this.#tensors.addBlock(block, { shape, dtype, format });
  }

  /** A new float32 tensor of given values in the format of activations. */
  activation(values: Float32Array, shape: readonly number[]): TensorInfo {
    const plain = this.#tensors.addValues({ values, shape, dtype: "float32" });
    if (this.activationFormat === "float32") return plain;
    const packed = convert(this, plain, { format: this.activationFormat });
    this.disposeData(plain.dataId);
    return packed;
  }

  /** {@linkcode ByteBackend.fromBytes} */
  fromBytes(values: Uint8Array, shape: readonly number[]): TensorInfo {
    const bytes = this.empty(shape, "float32", "uint8");
    this.#copyIn(this.address(bytes), values);
    const floats = convert(this, bytes, { format: this.activationFormat });
    this.disposeData(bytes.dataId);
    return floats;
  }

  /** A new float32 tensor that lies as another. */
  emptyLike(info: TensorInfo, shape: readonly number[] = info.shape): TensorInfo {
    return this.empty(shape, info.dtype, this.format(info));
  }

  /** Memory for a kernel's own use; release it when all that uses it is queued. */
  scratch(bytes: number, purpose = "workspace"): DeviceBlock {
    return this.#take(bytes, purpose);
  }

  /**
   * Numbers of the host in device memory, such as learning rates or a table of addresses. In a recorded
   * step the array is read again at each replay, so pass the same one and change it in place.
   * Release it when all that uses it is queued.
   */
  live(values: ArrayBufferView<ArrayBuffer>): DeviceBlock {
    const block = this.#lasting(values.byteLength, "numbers");
    const { buffer, byteOffset, byteLength } = values;
    const sent = new Uint8Array(buffer, byteOffset, byteLength).slice();
    this.#copyIn(block.address, sent);
    this.#recording?.live.push({ block, values, sent });
    return block;
  }

  /** Gives memory back; what is queued already may still use it. */
  release(block: DeviceBlock): void {
    block.pool.release(block);
  }

  /** How a tensor's elements lie in device memory. */
  format(info: TensorInfo): StorageFormat {
    return this.#tensors.get(info).format;
  }

  /** Address of a tensor's memory; brings it to the device if need be. */
  address(info: TensorInfo): bigint {
    return this.#tensors.address(info);
  }

  /**
   * Queues a kernel.
   *
   * @throws {CudaCompileError} If the program does not compile.
   * @throws {Error} If the launch is refused, or in debug mode fails, with the arguments.
   */
  launch(program: CudaProgram, launch: Launch): void {
    this.#launcher.launch(program, launch);
  }

  /** Runs something that queues work of a library; in debug mode waits for it. */
  guard(queue: () => void, about: () => string): void {
    this.#launcher.guard(queue, about);
  }

  /**
   * Runs tfjs's own kernel on the host: a copy there and back, counted in {@linkcode statistics}.
   *
   * @throws {Error} If tfjs has none of that name.
   */
  onHost(
    kernelName: string,
    call: { readonly inputs: KernelInputs; readonly attrs: NamedAttrMap },
  ): TensorInfo | TensorInfo[] {
    if (this.#recording) {
      throw new Error(
        `Cannot record ${kernelName}: it has no kernel on the device for such inputs`,
      );
    }
    const read = ({ dataId }: TensorInfo) => this.readSync(dataId);
    const infos = this.#hostKernels.run(kernelName, call, read)
      .map((result) => this.#tensors.addValues(result));
    return infos.length === 1 ? infos[0] : infos;
  }

  /**
   * Says that what a kernel is about to do cannot be part of a recorded step.
   *
   * @throws {Error} While one is recorded.
   */
  refuseRecording(reason: string): void {
    if (this.#recording) throw new Error(`Cannot record ${this.#operation}: ${reason}`);
  }

  /** Has memory that a kernel takes, and faults of it, named after the kernel. */
  named(kernel: KernelConfig): KernelConfig {
    return {
      ...kernel,
      kernelFunc: (call) => {
        const outer = this.#operation;
        this.#operation = kernel.kernelName;
        try {
          return kernel.kernelFunc(call);
        } finally {
          this.#operation = outer;
        }
      },
    };
  }

  // What the program needs of a backend that changes tensors in place

  share(info: TensorInfo, shape: readonly number[] = info.shape): TensorInfo {
    this.incRef(info.dataId);
    return { dataId: info.dataId, shape: [...shape], dtype: info.dtype };
  }

  version(info: TensorInfo): number {
    return this.#tensors.get(info).version;
  }

  touch(info: TensorInfo): void {
    this.#tensors.touch(info.dataId);
    this.#recording?.touched.push(info.dataId);
  }

  overwrite(info: TensorInfo, values: ArrayLike<number>): void {
    this.#copyIn(this.address(info), toFormat(values, this.format(info)));
    this.touch(info);
    this.#overwrites++;
  }

  /** A new tensor with the values of another. */
  copy(info: TensorInfo): TensorInfo {
    const copy = this.emptyLike(info);
    const bytes = sizeOf(info.shape) * FORMAT_BYTES[this.format(info)];
    this.driver.copy(this.address(copy), this.address(info), {
      bytes,
      stream: this.stream.address,
    });
    return copy;
  }

  record<T extends NamedTensorMap>(
    inputs: StepInputs,
    run: (inputs: NamedTensorMap) => T,
  ): RecordedStep<T> {
    return recordStep(this, {
      inputs,
      run,
      pool: this.#memory,
      recordingOf: (recording) => this.#recording = recording,
      overwrites: () => this.#overwrites,
      touch: (dataId) => this.#tensors.touch(dataId),
    });
  }

  /** {@linkcode InferenceRecordingBackend.recordInference} */
  recordInference<T extends NamedTensorMap>(
    inputs: StepInputs,
    run: (inputs: NamedTensorMap) => T,
  ): RecordedStep<T> {
    return this.record(inputs, run);
  }

  /** What was done so far. */
  statistics(): CudaStatistics {
    return {
      memory: this.#memory.statistics(),
      launches: this.#launcher.launches,
      hostKernels: this.#hostKernels.calls,
      compiled: this.#programs.compiled,
      uploadedBytes: this.driver.uploadedBytes,
    };
  }

  /** Starts the peaks of {@linkcode statistics} anew. */
  resetPeaks(): void {
    this.#memory.resetPeaks();
  }

  /** Gives memory that nobody uses back to the card. */
  trim(): void {
    this.stream.synchronize();
    this.#memory.trim();
  }

  get #pool(): MemoryPool {
    return this.#recording?.pool ?? this.#memory;
  }

  #take(bytes: number, purpose: string, shape: readonly number[] = []): DeviceBlock {
    const pool = this.#pool;
    pool.remedy = () => smallerBatch(shape);
    return pool.take(bytes, purpose);
  }

  /** Memory that a recorded step leaves alone between replays, or that outlives it. */
  #lasting(bytes: number, purpose: string): DeviceBlock {
    const block = this.#memory.take(bytes, purpose);
    this.#recording?.hold(block);
    return block;
  }

  /** Copies to the device, in the order of the stream; in a recording at once, and not in it. */
  #copyIn(address: bigint, values: ArrayBufferView<ArrayBufferLike>): void {
    const stream = this.#recording ? this.copies : this.stream;
    this.driver.copyToDevice(address, values, stream.address);
    if (this.#recording) stream.synchronize();
  }

  // tfjs's interface

  override write(values: tf.BackendValues, shape: number[], dtype: DataType): object {
    return this.#tensors.addValues({ values, shape, dtype }).dataId;
  }

  override move(
    dataId: object,
    values: tf.BackendValues,
    shape: number[],
    dtype: DataType,
    refCount: number,
  ): void {
    this.#tensors.addValues({ values, shape, dtype }, { dataId, refCount });
  }

  override readSync(dataId: object): tf.BackendValues {
    const data = this.#tensors.get({ dataId });
    if (data.host) return data.host.slice();
    this.#refuseRead();
    return readTensorSync(this, data);
  }

  override async read(dataId: object): Promise<tf.BackendValues> {
    const data = this.#tensors.get({ dataId });
    if (data.host) return data.host.slice();
    this.#refuseRead();
    return await readTensor(this, data);
  }

  #refuseRead(): void {
    this.refuseRecording("it reads a tensor back from the device");
  }

  override disposeData(dataId: object, force = false): boolean {
    if (this.#tensors.refCount(dataId) === 0) return true;
    const data = this.#tensors.drop(dataId, force);
    if (!data) return false;
    this.derived.drop(dataId);
    if (data.block) this.release(data.block);
    return true;
  }

  override refCount(dataId: object): number {
    return this.#tensors.refCount(dataId);
  }

  override incRef(dataId: object): void {
    this.#tensors.share(dataId);
  }

  override numDataIds(): number {
    return this.#tensors.count;
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
    this.driver.synchronize();
    this.communicators[Symbol.dispose]();
    this.convolutions[Symbol.dispose]();
    this.#programs[Symbol.dispose]();
    this.stream[Symbol.dispose]();
    this.copies[Symbol.dispose]();
    this.pinned[Symbol.dispose]();
    this.#memory[Symbol.dispose]();
    this.#context[Symbol.dispose]();
  }
}

/** Three quarters of the batch that a tensor is of. */
function smallerBatch(shape: readonly number[]): string | undefined {
  const [batch] = shape;
  if (shape.length !== 4 || batch < 2) return undefined;
  const less = Math.max(1, Math.floor(0.75 * batch));
  return `the tensor is [${shape}]: try training.batchSize ${less} instead of ${batch}`;
}
