/** Losses and gradients of a backward pass against golden ones. */
import type { Tensor } from "@tensorflow/tfjs";
import type { SiamBANLosses } from "../models/mod.ts";
import { type NamedParameter, toTorchLayout } from "../nn/mod.ts";
import type { Parameter } from "../nn/mod.ts";
import { type Check, type Deviation, worstOf } from "./check.ts";
import type { GoldenGradients, GoldenLosses } from "./golden_model.ts";
import { absMax, l2Norm, sampleDifference, sampleNoise } from "./values.ts";

type Floats = Float32Array<ArrayBuffer>;

/** Losses as numbers. */
export async function readLosses({ cls, loc, total }: SiamBANLosses): Promise<GoldenLosses> {
  const [cls_loss, loc_loss, total_loss] = await Promise.all(
    [cls, loc, total].map(async (loss) => (await loss.data())[0]),
  );
  return { cls_loss, loc_loss, total_loss };
}

/** The deviations of three losses from the truth; the tolerance is relative to it. */
export function* lossDeviations(
  found: GoldenLosses,
  { truth, golden, share }: {
    readonly truth: GoldenLosses;
    readonly golden: GoldenLosses;
    readonly share: number;
  },
): Generator<Deviation> {
  for (const term of ["cls_loss", "loc_loss", "total_loss"] as const) {
    const noise = Math.abs(golden[term] - truth[term]);
    yield {
      item: term,
      error: Math.abs(found[term] - truth[term]),
      tolerance: Math.max(share * Math.abs(truth[term]), share > FIRST_STEP ? 10 * noise : 0),
    };
  }
}

/** Tolerance of the losses of a first step. */
export const FIRST_STEP = 1e-4;
/** Tolerance of gradient norms and entries. */
const GRADIENT = 5e-3;
/** What a gradient that is 0 on paper may have of the total norm. */
const ZERO_GRADIENT = 1e-3;

/** The gradients of a pass, in PyTorch's layout. */
export class HostGradients {
  readonly #values = new Map<string, Floats>();

  /** Reads every gradient that there is. */
  static async read(
    parameters: Iterable<NamedParameter>,
    gradients: ReadonlyMap<Parameter, Tensor>,
  ): Promise<HostGradients> {
    const result = new HostGradients();
    for (const { name, parameter } of parameters) {
      const gradient = gradients.get(parameter);
      if (!gradient) continue;
      const values = await gradient.data() as Floats;
      result.#values.set(name, toTorchLayout(values, parameter.shape));
    }
    return result;
  }

  get(name: string): Floats | undefined {
    return this.#values.get(name);
  }

  /** L2 norm of all gradients together. */
  totalNorm(): number {
    return l2Norm([...this.#values.values()].map(l2Norm));
  }
}

/** Compares norms and sampled entries of all gradients. */
export function* checkGradients(
  prefix: string,
  found: HostGradients,
  golden: GoldenGradients,
): Generator<Check> {
  const zero = new Set(golden.analytically_zero_gradient);
  const total = found.totalNorm();
  const norms = Object.entries(golden.grad_norm_float64).map(([item, truth]): Deviation => {
    const norm = l2Norm(found.get(item) ?? [NaN]);
    if (zero.has(item)) return { item, error: norm, tolerance: ZERO_GRADIENT * total };
    const noise = Math.abs(golden.grad_norm[item] - truth);
    return {
      item,
      error: Math.abs(norm - truth),
      tolerance: Math.max(10 * noise, GRADIENT * truth),
    };
  });
  yield worstOf(`${prefix}/grad_norm`, norms);
  const sampled = Object.entries(golden.grad_samples).filter(([name]) => !zero.has(name));
  yield worstOf(
    `${prefix}/grad_samples`,
    sampled.map(([item, samples]): Deviation => ({
      item,
      error: sampleDifference(found.get(item) ?? [], samples),
      tolerance: Math.max(
        10 * sampleNoise(samples),
        GRADIENT * absMax(samples.val_float64 ?? samples.val),
      ),
    })),
  );
}
