import type { Driver } from "./bindings/driver.ts";

/** How float32 tensors are computed with: as they are, in TF32 products, or stored as bfloat16. */
export type Precision = "float32" | "tf32" | "bf16";

/** Options of convolutions. */
export interface ConvolutionOptions {
  readonly precision: Precision;
  /** Leaves out algorithms that may give other bits each time. */
  readonly deterministic: boolean;
  /** Tries the algorithms at the first use of a shape, instead of trusting cuDNN's estimate. */
  readonly measure: boolean;
  /** Gives memory for trials, which is given back at once. */
  readonly driver: Pick<Driver, "allocate" | "free">;
  /** Milliseconds that queued work takes on the device. */
  readonly time: (queue: () => void) => number;
  /** Whether a step is being recorded, when nothing can be tried: cuDNN's estimate decides then. */
  readonly recording: () => boolean;
}
