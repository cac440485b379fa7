import type { DataType, NamedTensorMap, TensorInfo } from "@tensorflow/tfjs";

/** What the program needs of a backend beyond tfjs's interface; every backend here has it. */
export interface InPlaceBackend {
  /** A new tensor; its values are whatever the memory held. */
  empty(shape: readonly number[]): TensorInfo;
  /** A tensor that shares the data of another. */
  share(info: TensorInfo, shape?: readonly number[]): TensorInfo;
  /** Counts the in-place changes of a tensor; whoever keeps something derived compares it. */
  version(info: TensorInfo): number;
  /** Says that a kernel has changed a tensor in place. */
  touch(info: TensorInfo): void;
  /** Overwrites a tensor in place. */
  overwrite(info: TensorInfo, values: ArrayLike<number>): void;
}

/** A tensor's values on the host, to be brought to the device at each replay of a recorded step. */
export interface StepInput {
  /** For float32 also bytes, which become floats on the device. */
  readonly values: Float32Array | Int32Array | Uint8Array;
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

/** A backend that brings bytes to its device as they are. */
export interface ByteBackend {
  /** A new float32 tensor of bytes, which become floats on the device. */
  fromBytes(values: Uint8Array, shape: readonly number[]): TensorInfo;
}

/** Inputs of a recorded step by name. */
export type StepInputs = Readonly<Record<string, StepInput>>;

/** The device does not record this work; it can still do it piece by piece. */
export class RecordingRefusedError extends Error {
  override readonly name = "RecordingRefusedError";
}

/** Work that a device does again as a whole. */
export interface RecordedStep<T extends NamedTensorMap> extends Disposable {
  /** Whether it still does the right thing: weights that it took for fixed are as they were. */
  readonly valid: boolean;
  /** Resolves when the arrays of the inputs given last are free again. */
  inputsTaken(): Promise<void>;
  /**
   * Queues the whole work on other inputs, of the same shapes. Their arrays must stay as they are
   * until {@linkcode inputsTaken}.
   *
   * @returns New tensors with the results; the caller disposes of them.
   */
  replay(inputs: StepInputs): T;
}

/** A backend that can record work. */
export interface RecordingBackend {
  /** Whether it works on by itself, so that reading at once would have the host wait. */
  readonly queues: boolean;
  /**
   * Writes down what `run` queues, without doing it. `run` must queue the same work whenever it is
   * called, must not read from the device, and arrays that it passes as `live` to a kernel are read
   * again at each replay.
   *
   * @param run Given tensors with the inputs; what it makes beside its results is freed.
   * @throws {RecordingRefusedError} If something in it cannot be recorded.
   */
  record<T extends NamedTensorMap>(
    inputs: StepInputs,
    run: (inputs: NamedTensorMap) => T,
  ): RecordedStep<T>;
}

/** A backend that can record work which changes nothing but its results. */
export interface InferenceRecordingBackend {
  /** As {@linkcode RecordingBackend.record}; the work may be done once while it is written down. */
  recordInference<T extends NamedTensorMap>(
    inputs: StepInputs,
    run: (inputs: NamedTensorMap) => T,
  ): RecordedStep<T>;
}
