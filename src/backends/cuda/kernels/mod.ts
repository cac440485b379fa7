import type { KernelConfig } from "@tensorflow/tfjs";
import { activationBackwardCuda, activationCuda } from "./activation.ts";

/** Every op of `src/ops` on the device, and those of tfjs that a training step uses. */
export const CUDA_KERNELS: readonly KernelConfig[] = [
  activationCuda,
  activationBackwardCuda,
];
