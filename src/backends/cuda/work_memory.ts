import type { Driver } from "./bindings/driver.ts";
import { type DeviceBlock, MemoryPool } from "./memory_pool.ts";
import type { Recording } from "./recording.ts";
import type { CudaStream } from "./stream.ts";

/** What memory is filled through. */
export interface WorkStreams {
  readonly driver: Driver;
  /** Where all work is queued. */
  readonly stream: CudaStream;
  /** Where values are brought that are no part of a recorded step. */
  readonly copies: CudaStream;
}

/**
 * Device memory for kernels. While a step is recorded, what it makes comes from a pool of its own,
 * because the graph holds the addresses, and what comes from outside is brought at once.
 */
export class WorkMemory implements Disposable {
  /** Memory outside of recorded steps. */
  readonly pool: MemoryPool;
  /** The step that is being recorded. */
  recording: Recording | undefined;
  readonly #streams: WorkStreams;

  /** @param options.reuse Whether blocks are used again; see {@linkcode MemoryPool}. */
  constructor(streams: WorkStreams, options: { readonly reuse: boolean }) {
    this.pool = new MemoryPool(streams.driver, options);
    this.#streams = streams;
  }

  /** The pool that work takes its memory from now. */
  get current(): MemoryPool {
    return this.recording?.pool ?? this.pool;
  }

  /** Memory of what is being done; `shape`, if it is a tensor's, is for the advice when there is none. */
  take(bytes: number, purpose: string, shape: readonly number[] = []): DeviceBlock {
    const pool = this.current;
    pool.remedy = () => smallerBatch(shape);
    return pool.take(bytes, purpose);
  }

  /** Memory that a recorded step leaves alone between replays, or that outlives it. */
  lasting(bytes: number, purpose: string): DeviceBlock {
    const block = this.pool.take(bytes, purpose);
    this.recording?.hold(block);
    return block;
  }

  /** Numbers of the host, which a recorded step reads anew at each replay. */
  live(values: ArrayBufferView<ArrayBuffer>): DeviceBlock {
    const block = this.lasting(values.byteLength, "numbers");
    const { buffer, byteOffset, byteLength } = values;
    const sent = new Uint8Array(buffer, byteOffset, byteLength).slice();
    this.copyIn(block.address, sent);
    this.recording?.live.push({ block, values, sent });
    return block;
  }

  /** Copies to the device, in the order of the stream; in a recording at once, and not in it. */
  copyIn(address: bigint, values: ArrayBufferView<ArrayBufferLike>): void {
    const { driver, stream, copies } = this.#streams;
    const { address: queue } = this.recording ? copies : stream;
    driver.copyToDevice(address, values, queue);
    if (this.recording) copies.synchronize();
  }

  [Symbol.dispose](): void {
    this.pool[Symbol.dispose]();
  }
}

/** Three quarters of the batch that a tensor is of. */
function smallerBatch(shape: readonly number[]): string | undefined {
  const [batch] = shape;
  if (shape.length !== 4 || batch < 2) return undefined;
  const less = Math.max(1, Math.floor(0.75 * batch));
  return `the tensor is [${shape}]: try training.batchSize ${less} instead of ${batch}`;
}
