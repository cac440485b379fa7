import type { TensorInfo } from "@tensorflow/tfjs";
import { ACTIVATION_CODE, type AnyActivationKind } from "../../ops/activation.ts";
import type { ConvGeometry } from "../../ops/conv2d.ts";
import type { CallWork } from "../call_profile.ts";
import type { NativeBackend } from "./native_backend.ts";

/** Which of a convolution's three passes. */
export type ConvDirection = "forward" | "backwardInput" | "backwardWeight";

const DIRECTION_CODE: Readonly<Record<ConvDirection, number>> = {
  forward: 0,
  backwardInput: 1,
  backwardWeight: 2,
};

/** A convolution as a whole: its three shapes, its geometry, and what is fused behind it. */
export interface ConvProblem {
  readonly direction: ConvDirection;
  /** `[B, H, W, C]`. */
  readonly x: readonly number[];
  /** `[O, kh, kw, C / groups]`. */
  readonly weight: readonly number[];
  /** `[B, Ho, Wo, O]`. */
  readonly y: readonly number[];
  readonly geometry: ConvGeometry;
  readonly bias?: boolean;
  readonly residual?: boolean;
  readonly activation?: AnyActivationKind;
}

/** What oneDNN has prepared for one {@linkcode ConvProblem}. */
export interface ConvPlan {
  /** Where it lies in native memory. */
  readonly id: number;
  /** Number of the filter layout it wants; plans of different shapes may share one. */
  readonly layout: number;
  /** Floats of a filter in that layout; 0 where it takes OHWI as it is. */
  readonly packedLength: number;
  /** Whether it multiplies each output by a factor of its own. */
  readonly scales: boolean;
}

/** Which ways convolutions may go, beside oneDNN's. */
export interface ConvWays {
  /** Bfloat16 parts of a float32 in matrix tiles, see native/cpu/amx_tiles.hpp; 0: no tiles. */
  readonly tileParts: number;
  /** Winograd's, see native/cpu/winograd.hpp. */
  readonly winograd: boolean;
  /** Those of native/cpu/depthwise.cpp, few_channels.cpp, pointwise.cpp and product_weight_gradient.cpp. */
  readonly small: boolean;
}

/** A filter as a plan wants it, with what belongs to it. */
export interface PackedFilter {
  readonly weight: Float32Array | TensorInfo;
  /** Factors of the outputs, for a plan that `scales`. */
  readonly scale?: Float32Array;
  readonly bias?: Float32Array | TensorInfo;
}

/** Floats of a packed weight from which on a copy is not kept in training. */
const TRANSIENT_LENGTH = 1 << 19;

interface Kept {
  /** Identity and version of each tensor that it was made from. */
  stamp: string;
  readonly filter: PackedFilter;
}

/**
 * Plans by problem, and filters in the layouts that plans want.
 *
 * Packed filters are kept as long as none of the tensors that they come from changes, and no longer
 * than the weight itself.
 */
export class ConvPlans {
  readonly #backend: NativeBackend;
  readonly #ways: readonly number[];
  readonly #plans = new Map<string, ConvPlan>();
  readonly #filters = new WeakMap<object, Map<string, Kept>>();
  readonly #serials = new WeakMap<object, number>();
  readonly #unfilled: Kept[] = [];
  #lastSerial = 0;

  constructor(backend: NativeBackend, { tileParts, winograd, small }: ConvWays) {
    this.#backend = backend;
    this.#ways = [tileParts, Number(winograd), Number(small)];
  }

  /** Finds or makes the plan of a problem. */
  plan(problem: ConvProblem): ConvPlan {
    const integers = [...planNumbers(problem), ...this.#ways];
    const key = integers.join();
    let plan = this.#plans.get(key);
    if (plan === undefined) {
      const info = new BigInt64Array(4);
      const about = `${problem.direction} of x [${problem.x}], weight [${problem.weight}]`;
      this.#backend.run("siamban_conv2d_plan", { info }, { integers, about });
      const [id, layout, packedLength, scales] = Array.from(info, Number);
      plan = { id, layout, packedLength, scales: scales !== 0 };
      this.#plans.set(key, plan);
    }
    return plan;
  }

  /**
   * Runs `use` with the weight in a plan's layout. A copy of a large weight that is being trained goes
   * right after: all of them together would be as much memory as the weights, for a hundredth of a step.
   */
  withPacked(
    weight: TensorInfo,
    plan: ConvPlan,
    use: (packed: TensorInfo | Float32Array) => void,
  ): void {
    if (plan.packedLength < TRANSIENT_LENGTH || this.#backend.version(weight) === 0) {
      return use(this.packed(weight, plan));
    }
    this.#dropOthers(this.#filters.get(weight.dataId) ?? new Map());
    const packed = this.pack(weight, plan);
    use(packed);
    this.#backend.release(packed);
  }

  /** The weight in a plan's layout. */
  packed(weight: TensorInfo, plan: ConvPlan): TensorInfo | Float32Array {
    if (plan.packedLength === 0) return weight;
    const make = (previous?: PackedFilter) => ({
      weight: this.pack(weight, plan, previous?.weight as Float32Array | undefined),
    });
    return this.keep(`${plan.layout}`, [weight], make).weight;
  }

  /** Packs a weight into `to`, or into new memory. */
  pack(
    weight: TensorInfo | Float32Array,
    { layout, packedLength }: ConvPlan,
    to: Float32Array = this.#backend.scratch(packedLength),
  ): Float32Array {
    this.#backend.run("siamban_conv2d_pack", { weight, to }, { integers: [layout] });
    return to;
  }

  /**
   * Something made from tensors, the first of them the weight that it lives as long as; made again
   * when one of them is another tensor or has changed.
   *
   * @param make Given what it made before, whose memory it may use.
   */
  keep(
    key: string,
    sources: readonly (TensorInfo | undefined)[],
    make: (previous?: PackedFilter) => PackedFilter,
  ): PackedFilter {
    const owner = sources[0]!.dataId;
    const held = this.#filters.get(owner) ?? new Map<string, Kept>();
    this.#filters.set(owner, held);
    const stamp = sources.map((source) => source ? this.#stamp(source) : "").join();
    let kept = held.get(key);
    if (kept?.stamp !== stamp) {
      if (this.#backend.version(sources[0]!) > 0) this.#dropOthers(held, key);
      kept = { stamp, filter: make(kept?.filter) };
      held.set(key, kept);
      if (this.#backend.recordsDry) this.#unfilled.push(kept);
    }
    return kept.filter;
  }

  /** Says that filters made while nothing was done hold nothing yet: whoever wants one makes it. */
  forgetUnfilled(): void {
    for (const kept of this.#unfilled.splice(0)) kept.stamp = "";
  }

  /**
   * A weight in training changes before it is asked for in the same layout again, so a copy for forward
   * and one for backward would be made just as often as one for both, and take twice the memory.
   */
  #dropOthers(held: Map<string, Kept>, key?: string): void {
    for (const [other, { filter }] of held) {
      if (other === key) continue;
      if (filter.weight instanceof Float32Array) this.#backend.release(filter.weight);
      held.delete(other);
    }
  }

  #stamp(info: TensorInfo): string {
    let serial = this.#serials.get(info.dataId);
    if (serial === undefined) this.#serials.set(info.dataId, serial = ++this.#lastSerial);
    return `${serial}.${this.#backend.version(info)}`;
  }
}

/** What a profile counts a convolution as: two operations a multiplication. */
export function convWork(
  { direction, weight, y, geometry }: ConvProblem,
): CallWork {
  const [filters, height, width, channels] = weight;
  const kind = geometry.groups === 1 ? "conv" : "grouped conv";
  const form = geometry.stride === 1
    ? `${height}x${width}`
    : `${height}x${width}/${geometry.stride}`;
  const flops = 2 * y[0] * y[1] * y[2] * filters * height * width * channels;
  return { op: `${kind} ${form} ${direction}`, flops };
}

/** The numbers of the C struct `ConvShape` but for the last three. */
function planNumbers({ direction, x, weight, y, geometry, ...fused }: ConvProblem): number[] {
  return [
    DIRECTION_CODE[direction],
    ...x,
    ...y.slice(1),
    ...weight.slice(1, 3),
    geometry.stride,
    geometry.padding,
    geometry.dilation,
    geometry.groups,
    Number(fused.bias ?? false),
    Number(fused.residual ?? false),
    ACTIVATION_CODE[fused.activation ?? "none"],
  ];
}
