import type { TensorInfo } from "@tensorflow/tfjs";
import { CallProfile, type CallWork, type Peak } from "../call_profile.ts";
import { HostBackend } from "../host_backend.ts";
import { RecordingRefusedError } from "../in_place_backend.ts";
import { type NativeCall, type NativeCpu, textBytes } from "./bindings/native.ts";
import { MemoryPool } from "./memory_pool.ts";
import { LateReleases, type Program, Recording } from "./recording.ts";

/** What follows the memory in a native call's arguments. */
export interface CallNumbers {
  readonly integers?: readonly number[];
  readonly reals?: readonly number[];
  /** What an error says the call was about; without it, the shapes of its tensors. */
  readonly about?: string;
  /** What a profile counts the call as; without it, by its name and with no arithmetic. */
  readonly work?: () => CallWork;
}

/** Tensors in host memory that native functions work on, whose calls can be written down. */
export class NativeBackend extends HostBackend {
  readonly #native: NativeCpu;
  readonly #shared: MemoryPool;
  #profile?: CallProfile;
  #recording?: Recording;
  readonly #lateReleases = new Set<LateReleases>();
  #changes = 0;
  #overwrites = 0;
  readonly #addresses = new Map<NativeCall, bigint>();
  readonly #advise = (address: bigint, bytes: number) =>
    this.#native.adviseHugePages(address, bytes);

  constructor(native: NativeCpu) {
    super();
    this.#native = native;
    this.#shared = new MemoryPool(this.#advise);
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
    const recording = this.#recording;
    // A plan is looked up for what is written down, so this is done all the same.
    if (recording?.dry && name !== "siamban_conv2d_plan") {
      return recording.note(name, call, this.#native.argumentsOf(call));
    }
    const note = recording && !recording.dry
      ? (block: Uint8Array) => recording.note(name, call, block)
      : undefined;
    const seconds = this.#native.run(name, call, () => about ?? describe(memory), note);
    this.#profile?.record(work?.() ?? { op: name.replace("siamban_", ""), flops: 0 }, {
      seconds,
      bytes: arrays.reduce((sum, array) => sum + (array?.byteLength ?? 0), 0),
    });
  }

  /** What memory is taken from, and goes back to. */
  get #pool(): MemoryPool {
    return this.#recording?.pool ?? this.#shared;
  }

  /** Memory for `length` floats that no tensor holds, not cleared. */
  scratch(length: number): Float32Array<ArrayBuffer> {
    return this.#taken(() => this.#pool.scratch(length));
  }

  /** Gives back what {@linkcode scratch} gave; nobody may read it any more. */
  release(array: Float32Array): void {
    this.#pool.attach(array);
    this.#returnToPool(array);
  }

  #returnToPool(array: ArrayBufferView): void {
    const release = () => this.#pool.release(array);
    for (const late of this.#lateReleases) if (late.defer(array, release)) return;
    release();
  }

  protected override allocate(length: number): Float32Array {
    return this.#taken(() => this.#pool.take(length));
  }

  #taken(take: () => Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
    const idle = this.#profile ? this.#pool.idleBytes : 0;
    const array = take();
    this.#recording?.hold(array);
    this.#profile?.recordAllocation(array.byteLength, { fresh: this.#pool.idleBytes === idle });
    return array;
  }

  override measurePeak(): Peak {
    const result = new Float64Array(2);
    this.run("siamban_measure_peak", { result });
    return { flops: result[0], bytes: result[1] };
  }

  override startProfile(): CallProfile {
    return this.#profile = new CallProfile(() => this.#profile = undefined);
  }

  /** How often a tensor was changed in place. */
  get changes(): number {
    return this.#changes;
  }

  override touch(info: TensorInfo): void {
    this.#changes++;
    if (this.#recording?.dry) {
      this.#recording.touched.add(info);
      return;
    }
    if (this.#recording) throw new RecordingRefusedError("it changes a tensor in place");
    super.touch(info);
  }

  /** How often a tensor was overwritten from JavaScript. */
  get overwrites(): number {
    return this.#overwrites;
  }

  override overwrite(info: TensorInfo, values: ArrayLike<number>): void {
    this.#overwrites++;
    this.refuseToRecord("it overwrites a tensor");
    super.overwrite(info, values);
  }

  /** Whether calls are written down now and not done, so that tensors hold nothing. */
  get recordsDry(): boolean {
    return this.#recording?.dry ?? false;
  }

  override refuseToRecord(reason: string): void {
    if (this.#recording) throw new RecordingRefusedError(`Cannot record the step: ${reason}`);
  }

  /**
   * Runs something and writes down its native calls.
   *
   * @throws {RecordingRefusedError} If it computes something elsewhere, which a replay would not.
   */
  capture<T>(run: () => T): { readonly program: Program; readonly results: T } {
    return this.#record(new Recording(new MemoryPool(this.#advise)), run);
  }

  #record<T>(recording: Recording, run: () => T): { program: Program; results: T } {
    this.#recording = recording;
    let results: T;
    try {
      results = run();
    } finally {
      this.#recording = undefined;
    }
    return { program: recording.finish((name) => this.#addressOf(name)), results };
  }

  /**
   * Runs something without doing its native calls, and writes these down. The memory that it used is
   * nobody else's until the result is disposed.
   *
   * @throws {RecordingRefusedError} If it computes or reads something in JavaScript.
   */
  captureDry<T>(run: () => T): DryCapture<T> {
    const pool = this.#shared;
    const recording = new Recording(pool, { dry: true });
    const { program, results } = this.#record(recording, run);
    const aside = pool.setAside(), late = new LateReleases(recording);
    this.#lateReleases.add(late);
    return {
      program,
      results,
      touched: [...recording.touched],
      [Symbol.dispose]: () => {
        this.#lateReleases.delete(late);
        late.releaseAll();
        aside[Symbol.dispose]();
      },
    };
  }

  /**
   * Runs recorded calls.
   *
   * @throws {NativeError} If one fails.
   */
  runProgram({ names, functions, blocks, failed }: Program): void {
    const arrays = [functions, blocks, failed];
    const about = () => `the recorded call ${failed[0]}, ${names[Number(failed[0])]}`;
    const call = { arrays, integers: [names.length] };
    const seconds = this.#native.run("siamban_run_program", call, about);
    this.#profile?.record({ op: "recorded calls", flops: 0 }, { seconds, bytes: 0 });
  }

  #addressOf(name: NativeCall): bigint {
    let address = this.#addresses.get(name);
    if (address === undefined) {
      const found = new BigUint64Array(1);
      const arrays = [textBytes(name), found];
      this.#native.run("siamban_function_address", { arrays }, () => name);
      this.#addresses.set(name, address = found[0]);
    }
    return address;
  }

  override makeTensorInfo(...parameters: Parameters<HostBackend["makeTensorInfo"]>): TensorInfo {
    const [, , values] = parameters;
    if (!(ArrayBuffer.isView(values) && this.#recording?.holds(values))) {
      this.refuseToRecord("it computes something that is not native");
    }
    return super.makeTensorInfo(...parameters);
  }

  override write(...parameters: Parameters<HostBackend["write"]>): object {
    const [values] = parameters;
    if (ArrayBuffer.isView(values)) {
      // What comes straight from the program is a constant, because nothing can be read meanwhile.
      this.#recording?.hold(values);
      this.#pool.attach(values);
    }
    return super.write(...parameters);
  }

  override disposeData(dataId: object, force = false): boolean {
    const values = this.data.has(dataId) ? this.data.get(dataId).values : undefined;
    const gone = super.disposeData(dataId, force);
    if (gone && ArrayBuffer.isView(values)) this.#returnToPool(values);
    return gone;
  }
}

/** What {@linkcode NativeBackend.captureDry} wrote down. */
export interface DryCapture<T> extends Disposable {
  readonly program: Program;
  readonly results: T;
  /** Tensors that the program changes in place. */
  readonly touched: readonly TensorInfo[];
}

function describe(memory: Readonly<Record<string, TensorInfo | ArrayBufferView | undefined>>) {
  return Object.entries(memory).flatMap(([name, value]) =>
    value === undefined || ArrayBuffer.isView(value) ? [] : `${name} [${value.shape}]`
  ).join(", ");
}
