import { ACTIVATION_CODE } from "../../../ops/activation.ts";
import { BatchNorm, BatchNormBackward } from "../../../ops/batch_norm.ts";
import type { OnednnBackend } from "../backend.ts";

export const batchNormOnednn = BatchNorm.kernel(
  "onednn",
  (cpu: OnednnBackend, inputs, { training, activation, epsilon, momentum }) => {
    const { x, weight, bias, runningMean, runningVar, residual } = inputs;
    const [rows, channels] = rowsOf(x.shape);
    const y = cpu.empty(x.shape), mean = cpu.empty([channels]), invStd = cpu.empty([channels]);
    cpu.run("siamban_batch_norm", {
      x,
      weight,
      bias,
      runningMean,
      runningVar,
      residual,
      y,
      mean,
      invStd,
    }, {
      integers: [rows, channels, Number(training), ACTIVATION_CODE[activation]],
      reals: [epsilon, momentum],
    });
    if (training) {
      cpu.touch(runningMean);
      cpu.touch(runningVar);
    }
    return [y, mean, invStd];
  },
);

export const batchNormBackwardOnednn = BatchNormBackward.kernel(
  "onednn",
  (cpu: OnednnBackend, { dy, x, y, weight, mean, invStd }, { training, activation }) => {
    const [rows, channels] = rowsOf(x.shape);
    const dx = cpu.empty(x.shape), dweight = cpu.empty([channels]), dbias = cpu.empty([channels]);
    const dresidual = activation === "none" ? cpu.share(dy) : cpu.empty(x.shape);
    cpu.run("siamban_batch_norm_backward", {
      dy,
      x,
      y,
      weight,
      mean,
      invStd,
      dx,
      dweight,
      dbias,
      dresidual,
    }, { integers: [rows, channels, Number(training), ACTIVATION_CODE[activation]] });
    return [dx, dweight, dbias, dresidual];
  },
);

/** `[B, H, W, C]` as `[rows, C]`. */
function rowsOf([batch, height, width, channels]: readonly number[]): [number, number] {
  return [batch * height * width, channels];
}
