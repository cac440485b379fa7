import type { TensorInfo } from "@tensorflow/tfjs";
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";

import type { CallProfile, Peak } from "./call_profile.ts";
import type { InPlaceBackend } from "./in_place_backend.ts";

/** What a backend is told when it starts. */
export interface BackendOptions {
  /** Threads of native kernels; 0 takes one a core. */
  readonly threads?: number;
  /**
   * How convolutions compute. A GPU: in float32 (the default), in TF32 products, or stored as
   * bfloat16. A CPU with matrix tiles (Intel AMX): `float32` rounds as float32 does, in another order;
   * else results are off by at most about 1e-5 of Σ |x w|, and twice as fast. Other CPUs: in float32.
   */
  readonly precision?: "float32" | "tf32" | "bf16";
  /**
   * This process among those on its machine, from 0. Each takes the next of the GPUs that CUDA shows;
   * with fewer GPUs than processes they share them.
   */
  readonly localRank?: number;
  /** Has a GPU give the same bits at each run. */
  readonly deterministic?: boolean;
  /** Has a GPU wait after each launch, so that a fault names the op and its shapes. */
  readonly deviceDebug?: boolean;
  /** Ties each thread of native kernels but the calling one to a processor; pays only on a quiet machine. */
  readonly pinThreads?: boolean;
  /** Whether a CPU's matrix tiles may be used; by default they are. */
  readonly tiles?: boolean;
  /** Whether a CPU may convolve Winograd's way, off by up to 2e-5 of the largest value; by default it may. */
  readonly winograd?: boolean;
  /** Whether a CPU may use own kernels beside tiles and Winograd's; by default it may. */
  readonly small?: boolean;
  /** Whether a CPU's kernels may be compiled now if they are not yet, for a minute or two; by default they may. */
  readonly compile?: boolean;
}

/**
 * A tfjs backend whose tensors lie in host memory: tfjs's own CPU backend, so that every op of tfjs
 * works, with what our kernels need on top.
 */
export class HostBackend extends MathBackendCPU implements InPlaceBackend {
  #versions = new WeakMap<object, number>();

  constructor() {
    super();
    // tfjs prints an advertisement for another backend on the first write while this is set.
    (this as unknown as { firstUse: boolean }).firstUse = false;
  }

  /** The values of a float32 tensor, row-major; not a copy. */
  floats(info: TensorInfo): Float32Array<ArrayBuffer> {
    const { values } = this.data.get(info.dataId);
    // A tensor cast by tfjs to a wider type still holds the narrower array.
    if (values instanceof Float32Array) return values as Float32Array<ArrayBuffer>;
    this.refuseToRecord("it converts values on the host");
    return Float32Array.from(values as unknown as ArrayLike<number>);
  }

  /** The values of an int32 tensor, row-major; not a copy. */
  ints(info: TensorInfo): Int32Array<ArrayBuffer> {
    const { values } = this.data.get(info.dataId);
    if (values instanceof Int32Array) return values as Int32Array<ArrayBuffer>;
    this.refuseToRecord("it converts values on the host");
    return Int32Array.from(values as unknown as ArrayLike<number>);
  }

  /** A new float32 tensor; its values are whatever the memory held. */
  empty(shape: readonly number[]): TensorInfo {
    const length = shape.reduce((product, size) => product * size, 1);
    return this.makeTensorInfo([...shape], "float32", this.allocate(length));
  }

  /** A tensor that shares the data of another. */
  share(info: TensorInfo, shape: readonly number[] = info.shape): TensorInfo {
    this.incRef(info.dataId);
    return { dataId: info.dataId, shape: [...shape], dtype: info.dtype };
  }

  /** Counts the in-place changes of a tensor; whoever keeps something derived compares it. */
  version(info: TensorInfo): number {
    return this.#versions.get(info.dataId as object) ?? 0;
  }

  /** Says that a kernel has changed a tensor in place. */
  touch(info: TensorInfo): void {
    this.#versions.set(info.dataId as object, this.version(info) + 1);
  }

  /** Overwrites a float32 tensor in place. */
  overwrite(info: TensorInfo, values: ArrayLike<number>): void {
    this.floats(info).set(values);
    this.touch(info);
  }

  /**
   * Says that what follows happens in JavaScript, so that it cannot be part of recorded work.
   *
   * @throws {RecordingRefusedError} While work is recorded.
   */
  refuseToRecord(_reason: string): void {}

  /** Notes native calls from now on; nothing on a backend that makes none. */
  startProfile(): CallProfile | undefined {
    return undefined;
  }

  /** Measures what the threads in use can do at most; nothing where nothing native runs. */
  measurePeak(): Peak | undefined {
    return undefined;
  }

  /** Memory for `length` floats, not cleared. */
  protected allocate(length: number): Float32Array {
    return new Float32Array(length);
  }

  // A copy: kernels change some tensors in place, and memory may be used again.
  override readSync(dataId: object): ReturnType<MathBackendCPU["readSync"]> {
    this.refuseToRecord("it reads values");
    const values = super.readSync(dataId);
    return (ArrayBuffer.isView(values) ? values.slice() : values) as ReturnType<
      MathBackendCPU["readSync"]
    >;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override memory(): { unreliable: boolean; reasons: string[] } {
    return { unreliable: false, reasons: [] };
  }
}
