import type { Tensor4D } from "@tensorflow/tfjs";
import { defineOp, type Op } from "./define_op.ts";

/** σ of a gate: 1 / (1 + e⁻ᵍ), or min(max(g / 6 + 1 / 2, 0), 1). */
export type GateKind = "sigmoid" | "hard_sigmoid";

/** The number by which native code knows a {@linkcode GateKind}. */
export const GATE_CODE: Readonly<Record<GateKind, number>> = { sigmoid: 0, hard_sigmoid: 1 };

/** Maps, and a gate a channel. */
type Inputs = { x: Tensor4D; gate: Tensor4D };

/** Inputs: `x` `[B, H, W, C]`, `gate` `[B, 1, 1, C]`. Output: y = x · σ(gate), of x's shape. */
export const ChannelGate: Op<Inputs, { readonly kind: GateKind }> = defineOp<
  Inputs,
  { readonly kind: GateKind }
>({
  name: "SiambanChannelGate",
  save: { inputs: ["x", "gate"] },
  gradient: ([dy], { inputs: { x, gate } }, attrs) => ({
    // Linear in x, so backward by x is forward of dy.
    x: () => ChannelGate.run({ x: dy as Tensor4D, gate }, attrs),
    gate: () => ChannelGateBackward.run({ dy: dy as Tensor4D, x, gate }, attrs),
  }),
});

/** Inputs: `dy`, `x` `[B, H, W, C]`, `gate`. Output: dgate = σ'(gate) · Σ dy · x over each map, `[B, 1, 1, C]`. */
export const ChannelGateBackward = defineOp<
  { dy: Tensor4D; x: Tensor4D; gate: Tensor4D },
  { readonly kind: GateKind }
>({ name: "SiambanChannelGateBackward" });

/**
 * Scales each channel by its gate (squeeze and excitation, arXiv:1709.01507, equation 4).
 *
 * @param x `[B, H, W, C]`.
 * @param gate Before the sigmoid, `[B, 1, 1, C]`.
 * @returns The shape of `x`.
 * @throws {RangeError} If batch or channels differ.
 */
export function channelGate(x: Tensor4D, gate: Tensor4D, kind: GateKind): Tensor4D {
  const expected = [x.shape[0], 1, 1, x.shape[3]];
  if (gate.shape.some((size, axis) => size !== expected[axis])) {
    throw new RangeError(
      `Cannot gate channels: input is [${x.shape}] and gate is [${gate.shape}], expected [${expected}]`,
    );
  }
  return ChannelGate.run({ x, gate }, { kind });
}
