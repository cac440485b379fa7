import type { KernelConfig } from "@tensorflow/tfjs";

/** Every op of `src/ops` in plain TypeScript. */
export const REFERENCE_KERNELS: readonly KernelConfig[] = [];
