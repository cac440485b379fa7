import source from "../../../../native/cuda/activation.cu" with { type: "text" };
import { Activation, ACTIVATION_CODE, ActivationBackward } from "../../../ops/activation.ts";
import { type CudaBackend, sizeOf } from "../backend.ts";
import { CudaProgram } from "../program.ts";

const program = new CudaProgram("activation", source);

export const activationCuda = Activation.kernel("cuda", (cuda: CudaBackend, { x }, { kind }) => {
  const y = cuda.emptyLike(x);
  const count = sizeOf(x.shape);
  cuda.launch(program, {
    function: "activation",
    threads: count,
    args: [x, y, count, ACTIVATION_CODE[kind]],
  });
  return y;
});

export const activationBackwardCuda = ActivationBackward.kernel(
  "cuda",
  (cuda: CudaBackend, { dy, y }, { kind }) => {
    const dx = cuda.emptyLike(dy);
    const count = sizeOf(dy.shape);
    cuda.launch(program, {
      function: "activation_backward",
      threads: count,
      args: [dy, y, dx, count, ACTIVATION_CODE[kind]],
    });
    return dx;
  },
);
