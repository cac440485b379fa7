import type { TensorInfo } from "@tensorflow/tfjs";
import { convOutputShape } from "../../../ops/conv2d.ts";
import { FoldedConv2d } from "../../../ops/folded_conv2d.ts";
import type { OnednnBackend } from "../backend.ts";
import { convWork } from "../conv_plans.ts";
import type { ConvPlan, PackedFilter } from "../conv_plans.ts";

/** What a batch norm with fixed statistics is made of, and the bias in front of it. */
interface Norm {
  readonly bias: TensorInfo | undefined;
  readonly normWeight: TensorInfo | undefined;
  readonly normBias: TensorInfo | undefined;
  readonly runningMean: TensorInfo | undefined;
  readonly runningVar: TensorInfo | undefined;
}

export const foldedConv2dOnednn = FoldedConv2d.kernel(
  "onednn",
  (cpu: OnednnBackend, { x, weight, residual, ...norm }, { activation, epsilon, ...geometry }) => {
    const y = cpu.empty(convOutputShape(x.shape, weight.shape, geometry));
    const problem = {
      direction: "forward",
      x: x.shape,
      weight: weight.shape,
      y: y.shape,
      geometry,
      bias: norm.bias !== undefined || norm.normWeight !== undefined,
      residual: residual !== undefined,
      activation,
    } as const;
    const plan = cpu.convolutions.plan(problem);
    const filter = norm.normWeight
      ? foldedFilter(cpu, { weight, norm, plan, epsilon })
      : { weight: cpu.convolutions.packed(weight, plan), bias: norm.bias };
    const memory = {
      x,
      weight: filter.weight,
      scale: filter.scale,
      bias: filter.bias,
      residual,
      y,
    };
    cpu.run("siamban_conv2d_forward", memory, {
      integers: [plan.id],
      work: () => convWork(problem),
    });
    return y;
  },
);

/** The filter with the norm folded in, in the plan's layout, as kept or made again. */
function foldedFilter(
  cpu: OnednnBackend,
  { weight, norm, plan, epsilon }: {
    readonly weight: TensorInfo;
    readonly norm: Norm;
    readonly plan: ConvPlan;
    readonly epsilon: number;
  },
): PackedFilter {
  const sources = [
    weight,
    norm.bias,
    norm.normWeight,
    norm.normBias,
    norm.runningMean,
    norm.runningVar,
  ];
  const key = plan.scales ? `factors ${epsilon}` : `folded ${plan.layout} ${epsilon}`;
  return cpu.convolutions.keep(key, sources, (previous) => {
    const [filters, height, width, channels] = weight.shape;
    const filterSize = height * width * channels;
    const scale = plan.scales ? previous?.scale ?? cpu.scratch(filters) : undefined;
    const folded = plan.scales ? undefined : cpu.scratch(filters * filterSize);
    const bias = previous?.bias ?? cpu.scratch(filters);
    const { normWeight, normBias, runningMean, runningVar } = norm;
    cpu.run("siamban_fold_norm", {
      weight,
      bias: norm.bias,
      normWeight,
      normBias,
      runningMean,
      runningVar,
      folded,
      factors: scale,
      foldedBias: bias,
    }, { integers: [filters, filterSize], reals: [epsilon] });
    if (folded === undefined) return { weight, scale, bias };
    if (plan.packedLength === 0) return { weight: folded, bias };
    const packed = previous?.weight as Float32Array | undefined;
    const weightAsWanted = cpu.convolutions.pack(folded, plan, packed);
    cpu.release(folded);
    return { weight: weightAsWanted, bias };
  });
}
