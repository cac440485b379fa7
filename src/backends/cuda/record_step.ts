import * as tf from "@tensorflow/tfjs";
import type { NamedTensorMap, TensorInfo } from "@tensorflow/tfjs";
import { type RecordedStep, RecordingRefusedError, type StepInputs } from "../in_place_backend.ts";
import type { Driver } from "./bindings/driver.ts";
import { convert, type ConvertingDevice } from "./conversion.ts";
import { MemoryPool, OutOfMemoryError } from "./memory_pool.ts";
import type { PinnedMemory } from "./pinned_memory.ts";
import { changed, Recording } from "./recording.ts";
import { FORMAT_BYTES, formatOf, type StorageFormat } from "./storage.ts";
import { StepInputBuffer } from "./step_input_buffers.ts";
import type { CudaStream } from "./stream.ts";

/** A device whose work can be recorded. */
export interface RecordableDevice extends ConvertingDevice {
  readonly driver: Driver;
  /** Where work is queued, and where inputs are brought while it goes on. */
  readonly stream: CudaStream;
  readonly copies: CudaStream;
  readonly pinned: PinnedMemory;
  readonly activationFormat: StorageFormat;
  address(info: TensorInfo): bigint;
  copy(info: TensorInfo): TensorInfo;
  guard(queue: () => void, about: () => string): void;
}

/** What recording needs to know of a backend's inside. */
export interface RecordRequest<T extends NamedTensorMap> {
  readonly inputs: StepInputs;
  readonly run: (inputs: NamedTensorMap) => T;
  readonly pool: MemoryPool;
  /** Tells the backend what it is recording, if anything. */
  readonly recordingOf: (recording: Recording | undefined) => void;
  /** Counts the times that a tensor was overwritten from the host. */
  readonly overwrites: () => number;
  /** Counts a change in place of a tensor that may be gone. */
  readonly touch: (dataId: object) => void;
}

/** Records a step as a CUDA graph, see {@linkcode RecordingBackend.record}. */
export function recordStep<T extends NamedTensorMap>(
  cuda: RecordableDevice,
  request: RecordRequest<T>,
): RecordedStep<T> {
  return new CudaRecordedStep(cuda, request);
}

class CudaRecordedStep<T extends NamedTensorMap> implements RecordedStep<T> {
  readonly #cuda: RecordableDevice;
  readonly #request: RecordRequest<T>;
  readonly #recording: Recording;
  readonly #inputs: ReadonlyMap<string, StepInputBuffer>;
  readonly #tensors: NamedTensorMap;
  readonly #results: T;
  readonly #overwrites: number;

  constructor(cuda: RecordableDevice, request: RecordRequest<T>) {
    this.#cuda = cuda;
    this.#request = request;
    this.#recording = new Recording(new MemoryPool(cuda.driver, { sharing: request.pool }));
    this.#inputs = inputBuffers(cuda, request);
    this.#tensors = Object.fromEntries(
      Array.from(this.#inputs, ([name, { tensor }]) => [name, toTensor(tensor)]),
    );
    try {
      this.#results = this.#capture();
    } catch (error) {
      this.#free();
      if (error instanceof OutOfMemoryError) throw error;
      throw new RecordingRefusedError(
        `Cannot record the step: ${(error as Error).message}`,
        { cause: error },
      );
    }
    this.#overwrites = request.overwrites();
  }

  #capture(): T {
    const { driver, stream } = this.#cuda;
    // What the warm-up left idle is not the graph's to use, and may be all the memory there is.
    this.#cuda.stream.synchronize();
    this.#request.pool.trim();
    driver.beginCapture(stream.address);
    this.#request.recordingOf(this.#recording);
    let results: T;
    try {
      results = tf.tidy(() => {
        const made = this.#request.run(this.#asFloats());
        for (const tensor of Object.values(made)) tf.keep(tensor);
        return made;
      });
      for (const tensor of Object.values(results)) this.#cuda.address(tensor);
    } catch (error) {
      driver.abandonCapture(stream.address);
      throw error;
    } finally {
      this.#request.recordingOf(undefined);
    }
    this.#recording.graph = driver.endCapture(stream.address);
    return results;
  }

  /** The inputs as the step takes them: bytes become floats as its first work. */
  #asFloats(): NamedTensorMap {
    const format = this.#cuda.activationFormat;
    const floats = Object.entries(this.#tensors).map(([name, tensor]) =>
      tensor.dtype === "float32" && this.#cuda.format(tensor) === "uint8"
        ? [name, toTensor(convert(this.#cuda, tensor, { format }))]
        : [name, tensor]
    );
    return Object.fromEntries(floats);
  }

  get valid(): boolean {
    return this.#overwrites === this.#request.overwrites();
  }

  async inputsTaken(): Promise<void> {
    await this.#cuda.copies.passed();
  }

  replay(inputs: StepInputs): T {
    const { driver, stream } = this.#cuda;
    for (const [name, buffer] of this.#inputs) buffer.send(inputs[name]);
    for (const numbers of this.#recording.live) {
      if (changed(numbers)) {
        driver.copyToDevice(numbers.block.address, numbers.sent, stream.address);
      }
    }
    this.#cuda.guard(
      () => driver.launchGraph(this.#recording.graph!.address, stream.address),
      () => "a recorded step",
    );
    for (const dataId of this.#recording.touched) this.#request.touch(dataId);
    const copies = Object.entries(this.#results)
      .map(([name, tensor]) => [name, toTensor(this.#cuda.copy(tensor))]);
    return Object.fromEntries(copies) as T;
  }

  #free(): void {
    for (const buffer of this.#inputs.values()) buffer[Symbol.dispose]();
    tf.dispose(this.#tensors);
    this.#recording[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#cuda.stream.synchronize();
    tf.dispose(this.#results);
    this.#free();
  }
}

function inputBuffers<T extends NamedTensorMap>(
  cuda: RecordableDevice,
  { inputs, pool }: RecordRequest<T>,
): ReadonlyMap<string, StepInputBuffer> {
  const { driver, pinned, stream, copies } = cuda;
  const devices = { driver, pool, pinned, compute: stream, copies };
  return new Map(
    Object.entries(inputs).map(([name, { values, shape, dtype }]) => {
      const format: StorageFormat = values instanceof Uint8Array ? "uint8" : formatOf(dtype);
      const tensor = cuda.empty(shape, dtype, format);
      const bytes = values.length * FORMAT_BYTES[format];
      return [name, new StepInputBuffer(devices, tensor, cuda.address(tensor), bytes)];
    }),
  );
}

function toTensor({ dataId, shape, dtype }: TensorInfo): tf.Tensor {
  return tf.engine().makeTensorFromDataId(dataId, shape, dtype);
}
