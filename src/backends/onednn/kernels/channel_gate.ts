import { ChannelGate, ChannelGateBackward, GATE_CODE } from "../../../ops/channel_gate.ts";
import type { OnednnBackend } from "../backend.ts";

export const channelGateOnednn = ChannelGate.kernel(
  "onednn",
  (cpu: OnednnBackend, { x, gate }, { kind }) => {
    const y = cpu.empty(x.shape);
    const integers = [...mapsOf(x.shape), GATE_CODE[kind]];
    cpu.run("siamban_channel_gate", { x, gate, y }, { integers });
    return y;
  },
);

export const channelGateBackwardOnednn = ChannelGateBackward.kernel(
  "onednn",
  (cpu: OnednnBackend, { dy, x, gate }, { kind }) => {
    const dgate = cpu.empty(gate.shape);
    const integers = [...mapsOf(x.shape), GATE_CODE[kind]];
    cpu.run("siamban_channel_gate_backward", { dy, x, gate, dgate }, { integers });
    return dgate;
  },
);

/** `[B, H, W, C]` as `[B, pixels, C]`. */
function mapsOf([batch, height, width, channels]: readonly number[]): number[] {
  return [batch, height * width, channels];
}
