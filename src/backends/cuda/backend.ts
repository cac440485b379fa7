import * as tf from "@tensorflow/tfjs";
import type {
  DataType,
  KernelConfig,
  NamedAttrMap,
  NamedTensorMap,
  TensorInfo,
} from "@tensorflow/tfjs";
import type { NativeHandle } from "../../ffi/handle.ts";
import {
  type ByteBackend,
  type InferenceRecordingBackend,
  type InPlaceBackend,
  type RecordedStep,
  type RecordingBackend,
  RecordingRefusedError,
  type StepInputs,
} from "../in_place_backend.ts";
import { Cudnn } from "./bindings/cudnn.ts";
import { CudnnGraphs } from "./bindings/cudnn_graph.ts";
import { type DeviceProperties, Driver } from "./bindings/driver.ts";
import { Nvrtc } from "./bindings/nvrtc.ts";
import { Communicators } from "./communicators.ts";
import { Convolutions } from "./convolutions.ts";
import { Derived } from "./derived.ts";
import { HostKernels, type KernelInputs } from "./host_kernels.ts";
import { convert } from "./conversion.ts";
import { type Launch, Launcher } from "./launcher.ts";
import type { CudaLibraries } from "./libraries.ts";
import type { DeviceBlock } from "./memory_pool.ts";
import type { CudaOptions, CudaStatistics } from "./options.ts";
import { PinnedMemory } from "./pinned_memory.ts";
import { type CudaProgram, ProgramCache } from "./program.ts";
import { recordStep } from "./record_step.ts";
import { readTensor, readTensorSync } from "./read_tensor.ts";
import { FORMAT_BYTES, formatOf, type StorageFormat, toFormat } from "./storage.ts";
import { CudaStream } from "./stream.ts";
import { sizeOf, TensorStore } from "./tensor_store.ts";
import { timeOnDevice } from "./timing.ts";
import { WorkMemory } from "./work_memory.ts";

export { float, type Launch, type LaunchArgument } from "./launcher.ts";
export type { CudaOptions, CudaStatistics } from "./options.ts";
export { sizeOf } from "./tensor_store.ts";

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
  readonly #memory: WorkMemory;
  readonly #programs: ProgramCache;
  readonly #launcher: Launcher;
  readonly #hostKernels = new HostKernels();
  readonly #tensors: TensorStore;
  readonly #debug: boolean;
  #overwrites = 0;
  #operation = "tensors";

  /** @param libraries Where NVIDIA's libraries are. */
  constructor(readonly libraries: CudaLibraries, options: CudaOptions = {}) {
    super();
    const { localRank = 0, precision = "float32", deviceDebug: debug = false } = options;
    this.#debug = debug;
    this.driver = new Driver(libraries.driver);
    this.nvrtc = new Nvrtc(libraries.nvrtc);
    this.cudnn = new Cudnn(libraries.cudnn);
    this.driver.init();
    const card = this.driver.device(localRank % this.driver.deviceCount());
    this.properties = this.driver.properties(card);
    this.#context = this.driver.retainContext(card);
    this.stream = new CudaStream(this.driver);
    this.copies = new CudaStream(this.driver);
    this.#memory = new WorkMemory(this, { reuse: !debug });
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
      pool: () => this.#memory.current,
      options: {
        precision,
        deterministic: options.deterministic ?? false,
        measure: options.measure ?? true,
        driver: this.driver,
        time: (queue) => timeOnDevice(this, queue, 3),
        recording: () => this.#memory.recording !== undefined,
      },
    });
    this.communicators = new Communicators(libraries, { uuid: this.driver.uuid(card) });
    this.activationFormat = precision === "bf16" ? "bfloat16" : "float32";
    this.derived = new Derived({
      version: (info) => this.version(info),
      take: (bytes) => this.#memory.lasting(bytes, "filters"),
    });
    this.#tensors = new TensorStore(this, (values, bytes) => {
      const block = this.#memory.lasting(bytes, "constants");
      this.#memory.copyIn(block.address, values);
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
    const block = this.#memory.take(sizeOf(shape) * FORMAT_BYTES[format], this.#operation, shape);
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
    this.#memory.copyIn(this.address(bytes), values);
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
    return this.#memory.take(bytes, purpose);
  }

  /**
   * Numbers of the host in device memory, such as learning rates or a table of addresses. In a recorded
   * step the array is read again at each replay, so pass the same one and change it in place.
   * Release it when all that uses it is queued.
   */
  live(values: ArrayBufferView<ArrayBuffer>): DeviceBlock {
    return this.#memory.live(values);
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
    if (this.#memory.recording) {
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
    if (this.#memory.recording) throw new Error(`Cannot record ${this.#operation}: ${reason}`);
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
    this.#memory.recording?.touched.push(info.dataId);
  }

  overwrite(info: TensorInfo, values: ArrayLike<number>): void {
    this.#memory.copyIn(this.address(info), toFormat(values, this.format(info)));
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
    if (this.#debug) {
      throw new RecordingRefusedError(
        "Cannot record the step: with deviceDebug the device is waited for after each launch",
      );
    }
    return recordStep(this, {
      inputs,
      run,
      pool: this.#memory.pool,
      recordingOf: (recording) => this.#memory.recording = recording,
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
      memory: this.#memory.pool.statistics(),
      launches: this.#launcher.launches,
      hostKernels: this.#hostKernels.calls,
      compiled: this.#programs.compiled,
      uploadedBytes: this.driver.uploadedBytes,
    };
  }

  /** Starts the peaks of {@linkcode statistics} anew. */
  resetPeaks(): void {
    this.#memory.pool.resetPeaks();
  }

  /** Gives memory that nobody uses back to the card. */
  trim(): void {
    this.stream.synchronize();
    this.#memory.pool.trim();
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
