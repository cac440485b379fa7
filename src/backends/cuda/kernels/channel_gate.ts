import source from "../../../../native/cuda/channel_gate.cu" with { type: "text" };
import { ChannelGate, ChannelGateBackward } from "../../../ops/channel_gate.ts";
import { SpatialMean, SpatialMeanBackward } from "../../../ops/spatial_mean.ts";
import { type CudaBackend, sizeOf } from "../backend.ts";
import { CudaProgram } from "../program.ts";
import { inFormat } from "./convert.ts";

const program = new CudaProgram("channel_gate", source);

/** Threads of a block that sums maps: 32 channels, every eighth pixel. */
const SUM_BLOCK: [number, number, number] = [32, 8, 1];

function sumGrid([batch, , , channels]: readonly number[]): [number, number, number] {
  return [Math.ceil(channels / SUM_BLOCK[0]), batch, 1];
}

export const spatialMeanCuda = SpatialMean.kernel("cuda", (cuda: CudaBackend, inputs) => {
  const [batch, height, width, channels] = inputs.x.shape;
  const mean = cuda.empty([batch, 1, 1, channels]);
  inFormat(cuda, "float32", {
    tensors: { x: inputs.x },
    run: ({ x }) =>
      cuda.launch(program, {
        function: "spatial_mean",
        grid: sumGrid(x.shape),
        block: SUM_BLOCK,
        args: [x, mean, height * width, channels],
      }),
  });
  return mean;
});

export const spatialMeanBackwardCuda = SpatialMeanBackward.kernel(
  "cuda",
  (cuda: CudaBackend, inputs, { height, width }) => {
    const [batch, , , channels] = inputs.dy.shape;
    const dx = cuda.empty([batch, height, width, channels]), size = sizeOf(dx.shape);
    inFormat(cuda, "float32", {
      tensors: { dy: inputs.dy },
      run: ({ dy }) =>
        cuda.launch(program, {
          function: "spatial_mean_backward",
          threads: size,
          args: [dy, dx, size, height * width, channels],
        }),
    });
    return dx;
  },
);

export const channelGateCuda = ChannelGate.kernel(
  "cuda",
  (cuda: CudaBackend, inputs, { kind }) => {
    const [, height, width, channels] = inputs.x.shape;
    const y = cuda.empty(inputs.x.shape), size = sizeOf(y.shape);
    inFormat(cuda, "float32", {
      tensors: { x: inputs.x, gate: inputs.gate },
      run: ({ x, gate }) =>
        cuda.launch(program, {
          function: "channel_gate",
          threads: size,
          args: [x, gate, y, size, height * width, channels, Number(kind === "hard_sigmoid")],
        }),
    });
    return y;
  },
);

export const channelGateBackwardCuda = ChannelGateBackward.kernel(
  "cuda",
  (cuda: CudaBackend, inputs, { kind }) => {
    const [, height, width, channels] = inputs.x.shape;
    const dgate = cuda.empty(inputs.gate.shape);
    inFormat(cuda, "float32", {
      tensors: { dy: inputs.dy, x: inputs.x, gate: inputs.gate },
      run: ({ dy, x, gate }) =>
        cuda.launch(program, {
          function: "channel_gate_backward",
          grid: sumGrid(x.shape),
          block: SUM_BLOCK,
          args: [dy, x, gate, dgate, height * width, channels, Number(kind === "hard_sigmoid")],
        }),
    });
    return dgate;
  },
);
