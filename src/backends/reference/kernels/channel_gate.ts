import { ChannelGate, ChannelGateBackward, type GateKind } from "../../../ops/channel_gate.ts";
import type { ReferenceBackend } from "../backend.ts";

export const channelGateReference = ChannelGate.kernel(
  "reference",
  (backend: ReferenceBackend, { x, gate }, { kind }) => {
    const y = backend.empty(x.shape);
    const [to, from] = [backend.floats(y), backend.floats(x)];
    const scale = Float64Array.from(backend.floats(gate), (g) => openness(g, kind).value);
    const [batch, height, width, channels] = x.shape;
    const pixels = height * width;
    for (let i = 0; i < batch * pixels; i++) {
      const of = Math.floor(i / pixels) * channels;
      for (let c = 0, at = i * channels; c < channels; c++, at++) to[at] = from[at] * scale[of + c];
    }
    return y;
  },
);

export const channelGateBackwardReference = ChannelGateBackward.kernel(
  "reference",
  (backend: ReferenceBackend, { dy, x, gate }, { kind }) => {
    const [batch, height, width, channels] = x.shape;
    const pixels = height * width;
    const [g, values] = [backend.floats(dy), backend.floats(x)];
    const sums = new Float64Array(batch * channels);
    for (let i = 0; i < batch * pixels; i++) {
      const of = Math.floor(i / pixels) * channels;
      for (let c = 0, at = i * channels; c < channels; c++, at++) {
        sums[of + c] += g[at] * values[at];
      }
    }
    const dgate = backend.empty(gate.shape);
    const gates = backend.floats(gate);
    backend.floats(dgate).set(sums.map((sum, i) => sum * openness(gates[i], kind).slope));
    return dgate;
  },
);

/** σ(g) and its derivative. */
function openness(g: number, kind: GateKind): { readonly value: number; readonly slope: number } {
  if (kind === "hard_sigmoid") {
    const value = Math.min(Math.max(g / 6 + 0.5, 0), 1);
    return { value, slope: g > -3 && g < 3 ? 1 / 6 : 0 };
  }
  const value = 1 / (1 + Math.exp(-g));
  return { value, slope: value * (1 - value) };
}
