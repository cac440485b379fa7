import {
  ChannelSum,
  Conv2d,
  Conv2dBackwardInput,
  Conv2dBackwardWeight,
  convOutputShape,
} from "../../../ops/conv2d.ts";
import type { OnednnBackend } from "../backend.ts";
import { convWork } from "../conv_plans.ts";

export const conv2dOnednn = Conv2d.kernel(
  "onednn",
  (cpu: OnednnBackend, { x, weight, bias }, geometry) => {
    const y = cpu.empty(convOutputShape(x.shape, weight.shape, geometry));
    const problem = {
      direction: "forward",
      x: x.shape,
      weight: weight.shape,
      y: y.shape,
      geometry,
      bias: bias !== undefined,
    } as const;
    const plan = cpu.convolutions.plan(problem);
    cpu.convolutions.withPacked(weight, plan, (packed) => {
      const memory = { x, weight: packed, scale: undefined, bias, residual: undefined, y };
      cpu.run("siamban_conv2d_forward", memory, {
        integers: [plan.id],
        work: () => convWork(problem),
      });
    });
    return y;
  },
);

export const conv2dBackwardInputOnednn = Conv2dBackwardInput.kernel(
  "onednn",
  (cpu: OnednnBackend, { dy, weight }, { height, width, ...geometry }) => {
    const channels = weight.shape[3] * geometry.groups;
    const dx = cpu.empty([dy.shape[0], height, width, channels]);
    const problem = {
      direction: "backwardInput",
      x: dx.shape,
      weight: weight.shape,
      y: dy.shape,
      geometry,
    } as const;
    const plan = cpu.convolutions.plan(problem);
    cpu.convolutions.withPacked(weight, plan, (packed) => {
      cpu.run("siamban_conv2d_backward_input", { dy, weight: packed, dx }, {
        integers: [plan.id],
        work: () => convWork(problem),
      });
    });
    return dx;
  },
);

export const conv2dBackwardWeightOnednn = Conv2dBackwardWeight.kernel(
  "onednn",
  (cpu: OnednnBackend, { dy, x }, { kernelHeight, kernelWidth, ...geometry }) => {
    const filters = dy.shape[3], channels = x.shape[3] / geometry.groups;
    const dweight = cpu.empty([filters, kernelHeight, kernelWidth, channels]);
    const problem = {
      direction: "backwardWeight",
      x: x.shape,
      weight: dweight.shape,
      y: dy.shape,
      geometry,
    } as const;
    const plan = cpu.convolutions.plan(problem);
    cpu.run("siamban_conv2d_backward_weight", { dy, x, dweight }, {
      integers: [plan.id],
      work: () => convWork(problem),
    });
    return dweight;
  },
);

export const channelSumOnednn = ChannelSum.kernel("onednn", (cpu: OnednnBackend, { x }) => {
  const channels = x.shape[x.shape.length - 1];
  const sum = cpu.empty([channels]);
  const rows = x.shape.slice(0, -1).reduce((product, size) => product * size, 1);
  cpu.run("siamban_channel_sum", { x, sum }, { integers: [rows, channels] });
  return sum;
});
