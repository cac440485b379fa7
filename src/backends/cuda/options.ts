import type { Precision } from "./convolution_options.ts";
import type { MemoryStatistics } from "./memory_pool.ts";

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
