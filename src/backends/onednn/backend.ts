import type { TensorInfo } from "@tensorflow/tfjs";
import { CallProfile, type CallWork, type Peak } from "../call_profile.ts";
import { type BackendOptions, HostBackend } from "../host_backend.ts";
import { type NativeCall, NativeCpu } from "./bindings/native.ts";
import { ConvPlans } from "./conv_plans.ts";
import { MemoryPool } from "./memory_pool.ts";
import { nativeLibrary } from "./toolchain.ts";

/**
 * Starts the CPU backend with native kernels; compiles them at the first use.
 *
 * @throws {Error} If they cannot be compiled here, with the remedy.
 */
export async function createOnednn(options: BackendOptions): Promise<OnednnBackend> {
  return new OnednnBackend(new NativeCpu(await nativeLibrary()), options);
}

/** What follows the memory in a native call's arguments. */
export interface CallNumbers {
  readonly integers?: readonly number[];
  readonly reals?: readonly number[];
  /** What an error says the call was about; without it, the shapes of its tensors. */
  readonly about?: string;
  /** What a profile counts the call as; without it, by its name and with no arithmetic. */
  readonly work?: () => CallWork;
}

/** Tensors in host memory, kernels in C++ over oneDNN. */
export class OnednnBackend extends HostBackend {
  /** Threads that kernels use. */
  readonly threads: number;
  /** Bfloat16 parts of a float32 in matrix tiles, see native/cpu/amx_tiles.hpp; 0: no tiles. */
  readonly tileParts: number;
  /** What oneDNN has prepared for each shape of a convolution. */
  readonly convolutions: ConvPlans;
  readonly #native: NativeCpu;
  readonly #pool: MemoryPool;
  #profile?: CallProfile;

  constructor(
    native: NativeCpu,
    { threads = 0, precision, tiles = true }: BackendOptions = {},
  ) {
    super();
    this.#native = native;
    this.#pool = new MemoryPool((address, bytes) => native.adviseHugePages(address, bytes));
    this.threads = native.setThreads(threads);
    this.tileParts = !tiles ? 0 : precision === "float32" ? 3 : 2;
    this.convolutions = new ConvPlans(this);
  }

  /**
   * Runs a native function on tensors (float32 or int32) and plain arrays; absent ones are NULL.
   *
   * @param memory In the order of the function's C struct.
   * @throws {NativeError} If it fails; the message says on which shapes.
   */
  run(
    name: NativeCall,
    memory: Readonly<Record<string, TensorInfo | ArrayBufferView | undefined>>,
    { about, work, ...numbers }: CallNumbers = {},
  ): void {
    const arrays = Object.values(memory).map((value) =>
      value === undefined || ArrayBuffer.isView(value)
        ? value
        : value.dtype === "int32"
        ? this.ints(value)
        : this.floats(value)
    );
    const call = { arrays, ...numbers };
    const seconds = this.#native.run(name, call, () => about ?? describe(memory));
    this.#profile?.record(work?.() ?? { op: name.replace("siamban_", ""), flops: 0 }, {
      seconds,
      bytes: arrays.reduce((sum, array) => sum + (array?.byteLength ?? 0), 0),
    });
  }

  /** Memory for `length` floats that no tensor holds, not cleared. */
  scratch(length: number): Float32Array<ArrayBuffer> {
    const idle = this.#pool.idleBytes;
    const array = this.#pool.take(length);
    this.#profile?.recordAllocation(array.byteLength, { fresh: this.#pool.idleBytes === idle });
    return array;
  }

  /** Gives back what {@linkcode scratch} gave; nobody may read it any more. */
  release(array: Float32Array): void {
    this.#pool.attach(array);
    this.#pool.release(array);
  }

  protected override allocate(length: number): Float32Array {
    return this.scratch(length);
  }

  override measurePeak(): Peak {
    const result = new Float64Array(2);
    this.run("siamban_measure_peak", { result });
    return { flops: result[0], bytes: result[1] };
  }

  override startProfile(): CallProfile {
    return this.#profile = new CallProfile(() => this.#profile = undefined);
  }

  override write(...parameters: Parameters<HostBackend["write"]>): object {
    if (ArrayBuffer.isView(parameters[0])) this.#pool.attach(parameters[0]);
    return super.write(...parameters);
  }

  override disposeData(dataId: object, force = false): boolean {
    const values = this.data.has(dataId) ? this.data.get(dataId).values : undefined;
    const gone = super.disposeData(dataId, force);
    if (gone && ArrayBuffer.isView(values)) this.#pool.release(values);
    return gone;
  }
}

function describe(memory: Readonly<Record<string, TensorInfo | ArrayBufferView | undefined>>) {
  return Object.entries(memory).flatMap(([name, value]) =>
    value === undefined || ArrayBuffer.isView(value) ? [] : `${name} [${value.shape}]`
  ).join(", ");
}
