import type { CudnnGraphs } from "./bindings/cudnn_graph.ts";
import { CudaError } from "./bindings/status.ts";
import { type ConvOperands, type ConvProblem, type ConvTail, problemKey } from "./conv_problem.ts";
import type { ConvolutionOptions } from "./convolution_options.ts";
import { type FusedPlan, type FusedPlans, fusedPlans } from "./fused_plans.ts";

/** Plans that are tried where algorithms are measured. */
const MOST_TRIED = 3;

/** A plan that does a shape, or why none does. */
type Way = { readonly plan: FusedPlan; readonly owner: FusedPlans } | { readonly reason: string };

/** A convolution to queue, and the way to do so without a plan. */
export interface FusedCall {
  readonly operands: ConvOperands;
  readonly tail: ConvTail;
  /** Does it by the older call; returns whether that can. */
  readonly otherwise: () => boolean;
}

/**
 * Convolutions with bias, residual and activation in one pass: by a plan of cuDNN's graph API, or,
 * where that has none, refuses, or is measured to be slower, by the older call.
 */
export class FusedConvolutions implements Disposable {
  readonly #graphs: CudnnGraphs;
  readonly #handle: bigint;
  readonly #options: ConvolutionOptions;
  readonly #withWorkspace: WithWorkspace;
  readonly #ways = new Map<string, Way>();

  constructor(
    graphs: CudnnGraphs,
    { handle, options, withWorkspace }: {
      readonly handle: bigint;
      readonly options: ConvolutionOptions;
      readonly withWorkspace: WithWorkspace;
    },
  ) {
    this.#graphs = graphs;
    this.#handle = handle;
    this.#options = options;
    this.#withWorkspace = withWorkspace;
  }

  /** Shapes that a plan does. */
  get planned(): number {
    return this.#ways.values().filter((way) => "plan" in way).toArray().length;
  }

  /** Shapes that no plan does, each with the reason. */
  get refused(): ReadonlyMap<string, string> {
    return new Map(
      this.#ways.entries().flatMap(([key, way]) => "reason" in way ? [[key, way.reason]] : []),
    );
  }

  /**
   * Queues a convolution.
   *
   * @returns Whether it did so: false, and nothing is queued, where cuDNN cannot do it in one pass.
   */
  run(problem: ConvProblem, call: FusedCall): boolean {
    const { tail, otherwise } = call;
    const key = `${problemKey(problem)},${tail.activation}${
      tail.residual === 0n ? "" : ",residual"
    }`;
    const way = this.#ways.get(key) ?? this.#choose(key, problem, call);
    if ("reason" in way) return otherwise();
    try {
      this.#queue(way.plan, call);
      return true;
    } catch (error) {
      if (!(error instanceof CudaError)) throw error;
      way.owner[Symbol.dispose]();
      this.#ways.set(key, { reason: error.message });
      return otherwise();
    }
  }

  #choose(key: string, problem: ConvProblem, call: FusedCall): Way {
    const way = this.#find(problem, call);
    this.#ways.set(key, way);
    return way;
  }

  #find(problem: ConvProblem, call: FusedCall): Way {
    const { precision, deterministic, recording } = this.#options;
    const measure = this.#options.measure && !recording();
    const { residual, activation } = call.tail;
    try {
      const owner = fusedPlans(this.#graphs, {
        handle: this.#handle,
        problem,
        tail: { residual: residual !== 0n, activation },
        limits: { tensorCores: precision !== "float32", deterministic },
        most: measure ? MOST_TRIED : 1,
      });
      const plan = measure ? this.#fastest(owner.plans, call) : owner.plans[0];
      if (plan) return { plan, owner };
      owner[Symbol.dispose]();
      return { reason: "the older call is faster" };
    } catch (error) {
      if (!(error instanceof CudaError)) throw error;
      return { reason: error.message };
    }
  }

  /** The fastest plan; none where the older call is faster still. */
  #fastest(plans: readonly FusedPlan[], call: FusedCall): FusedPlan | undefined {
    let fastest: FusedPlan | undefined;
    let shortest = call.otherwise() ? this.#options.time(call.otherwise) : Infinity;
    for (const plan of plans) {
      const ms = this.#options.time(() => this.#queue(plan, call));
      if (ms < shortest) [fastest, shortest] = [plan, ms];
    }
    return fastest;
  }

  #queue(plan: FusedPlan, { operands, tail }: FusedCall): void {
    this.#withWorkspace(
      plan.workspaceBytes,
      ({ workspace }) => plan.run(operands, tail, workspace),
    );
  }

  [Symbol.dispose](): void {
    for (const way of this.#ways.values()) if ("owner" in way) way.owner[Symbol.dispose]();
    this.#ways.clear();
  }
}

/** Runs something with memory that is free again when it has queued its work. */
type WithWorkspace = (bytes: number, run: (memory: { readonly workspace: bigint }) => void) => void;
