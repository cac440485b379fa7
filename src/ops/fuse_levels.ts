import * as tf from "@tensorflow/tfjs";
import type { Tensor, Tensor1D, Tensor4D } from "@tensorflow/tfjs";
import { defineOp, type OpInputs } from "./define_op.ts";

/** Attributes of {@linkcode FuseLevels}. */
export interface FuseAttributes {
  /** Number of maps, N. */
  readonly levels: number;
  /** Whether f is the exponential; else it is the identity. */
  readonly exponential: boolean;
}

/** Most maps that every backend takes. */
const MOST_LEVELS = 8;

/**
 * Inputs: `map0` … `map<N - 1>` of one shape; `weight` `[N]` or none; `scale` `[N]` or none, which is 1. Output: y = Σᵢ pᵢ · f(sᵢ · xᵢ),
 * p = softmax(weight), or 1 / N without.
 */
export const FuseLevels = defineOp<OpInputs, FuseAttributes>({ name: "SiambanFuseLevels" });

/**
 * Inputs: `dy`, and those of the forward pass. Outputs: the gradient by each map, then by `weight` and by `scale` where they
 * are inputs. With gᵢ = Σ dy · f(sᵢ · xᵢ): dweight = pᵢ (gᵢ − Σⱼ pⱼ gⱼ), dscale = Σ dy · pᵢ · f′(sᵢ · xᵢ) · xᵢ.
 */
export const FuseLevelsBackward = defineOp<OpInputs & { dy: Tensor }, FuseAttributes>({
  name: "SiambanFuseLevelsBackward",
});

/**
 * Combines the maps of several levels into one (SiamBAN, section 3.2 and equation 3).
 *
 * @param maps `[B, H, W, C]` each, at most eight.
 * @param options `weight`: learned weights `[N]`, of which the softmax is taken; without them the mean.
 * `scale`: learned factors `[N]`; with them the exponential of each scaled map is combined.
 * @returns `[B, H, W, C]`.
 * @throws {RangeError} If there is no map or too many, or shapes differ.
 */
export function fuseLevels(
  maps: readonly Tensor4D[],
  { weight, scale }: { readonly weight?: Tensor1D; readonly scale?: Tensor1D } = {},
): Tensor4D {
  const levels = maps.length;
  if (levels === 0 || levels > MOST_LEVELS) {
    throw new RangeError(`Cannot fuse ${levels} levels, expected 1 to ${MOST_LEVELS}`);
  }
  for (const { shape } of maps) requireShape("map", shape, maps[0].shape);
  for (const numbers of [weight, scale]) {
    if (numbers) requireShape("weight", numbers.shape, [levels]);
  }
  const attributes = { levels, exponential: scale !== undefined };
  const named = (tensors: readonly Tensor[]): OpInputs => {
    const [own, others] = [tensors.slice(0, levels), tensors.slice(levels)];
    return {
      ...Object.fromEntries(own.map((map, i) => [`map${i}`, map])),
      weight: weight && others[0],
      scale: scale && others[weight ? 1 : 0],
    };
  };
  // An op of a fixed number of inputs could be declared with its gradient; this one is wrapped.
  const fuse = tf.customGrad((...given) => {
    const save = given.pop() as unknown as tf.GradSaveFunc;
    const tensors = given as Tensor[];
    save(tensors);
    return {
      value: FuseLevels.run<Tensor4D>(named(tensors), attributes),
      gradFunc: (dy: Tensor, saved: Tensor[]) =>
        FuseLevelsBackward.runAll({ dy, ...named(saved) }, attributes),
    };
  });
  return fuse(...maps, ...(weight ? [weight] : []), ...(scale ? [scale] : [])) as Tensor4D;
}

function requireShape(
  what: string,
  shape: readonly number[],
  expected: readonly number[],
): void {
  if (`${shape}` === `${expected}`) return;
  throw new RangeError(`Cannot fuse levels: a ${what} is [${shape}], expected [${expected}]`);
}
