import type { KernelConfig } from "@tensorflow/tfjs";

/** Every op of `src/ops` in native code. */
export const ONEDNN_KERNELS: readonly KernelConfig[] = [];
