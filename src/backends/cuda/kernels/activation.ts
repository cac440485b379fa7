import source from "../../../../native/cuda/activation.cu" with { type: "text" };
import { Activation, ACTIVATION_CODE, ActivationBackward } from "../../../ops/activation.ts";
import { HardSwish, HardSwishBackward } from "../../../ops/hard_swish.ts";
import { type CudaBackend, sizeOf } from "../backend.ts";
import { CudaProgram } from "../program.ts";
import { inFormat } from "../conversion.ts";

const program = new CudaProgram("activation", source);

export const activationCuda = Activation.kernel("cuda", (cuda: CudaBackend, { x }, { kind }) => {
  if (kind === "none") return cuda.share(x);
  const y = cuda.emptyLike(x);
  const size = sizeOf(x.shape);
  cuda.launch(program, {
    function: "activation",
    threads: Math.ceil(size / 4),
    args: [x, y, size, ACTIVATION_CODE[kind]],
  });
  return y;
});

export const activationBackwardCuda = ActivationBackward.kernel(
  "cuda",
  (cuda: CudaBackend, { dy, y }, { kind }) => {
    if (kind === "none") return cuda.share(dy);
    const dx = cuda.emptyLike(y);
    const size = sizeOf(y.shape);
    inFormat(cuda, cuda.format(y), {
      tensors: { dy },
      run: ({ dy }) =>
        cuda.launch(program, {
          function: "activation_backward",
          threads: Math.ceil(size / 4),
          args: [dy, y, dx, size, ACTIVATION_CODE[kind]],
        }),
    });
    return dx;
  },
);

export const hardSwishCuda = HardSwish.kernel("cuda", (cuda: CudaBackend, { x }) => {
  const y = cuda.emptyLike(x);
  const size = sizeOf(x.shape);
  cuda.launch(program, {
    function: "activation",
    threads: Math.ceil(size / 4),
    args: [x, y, size, ACTIVATION_CODE.hard_swish],
  });
  return y;
});

export const hardSwishBackwardCuda = HardSwishBackward.kernel(
  "cuda",
  (cuda: CudaBackend, { dy, x }) => {
    const dx = cuda.emptyLike(x);
    const size = sizeOf(x.shape);
    inFormat(cuda, cuda.format(x), {
      tensors: { dy },
      run: ({ dy }) =>
        cuda.launch(program, {
          function: "hard_swish_backward",
          threads: Math.ceil(size / 4),
          args: [dy, x, dx, size],
        }),
    });
    return dx;
  },
);
