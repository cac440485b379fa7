import type { ConvGeometry } from "../../ops/conv2d.ts";
import type { ConvPass } from "./bindings/cudnn.ts";
import { sizeOf } from "./tensor_store.ts";

/** A convolution's three shapes, its geometry and the format of all three. */
export interface ConvProblem {
  readonly pass: ConvPass;
  /** `[B, H, W, C]`. */
  readonly x: readonly number[];
  /** `[O, kh, kw, C / groups]`. */
  readonly weight: readonly number[];
  /** `[B, Ho, Wo, O]`. */
  readonly y: readonly number[];
  readonly geometry: ConvGeometry;
  readonly format: "float32" | "bfloat16";
}

/** Addresses of a pass's operands, in cuDNN's order: inputs, then the output. */
export interface ConvOperands {
  readonly first: bigint;
  readonly second: bigint;
  readonly output: bigint;
}

/** What is added to and done with a convolution's result. */
export interface ConvTail {
  /** `[O]`, in the problem's format. */
  readonly bias: bigint;
  /** 0n for none. */
  readonly residual: bigint;
  readonly activation: "none" | "relu";
}

/** Multiplications and additions of a problem; all three passes have as many. */
export function operationsOf({ y, weight: [, height, width, channels] }: ConvProblem): number {
  return 2 * sizeOf(y) * height * width * channels;
}

/** Tells a problem from others. */
export function problemKey({ pass, x, weight, y, geometry, format }: ConvProblem): string {
  const { stride, padding, dilation, groups } = geometry;
  return `${pass},${format},${x},${weight},${y},${stride},${padding},${dilation},${groups}`;
}
