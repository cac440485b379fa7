import type { NativeHandle } from "../../ffi/handle.ts";
import { CUDNN_TYPE } from "./bindings/cudnn.ts";
import type { Attributes, CudnnGraphs, DescriptorKind } from "./bindings/cudnn_graph.ts";
import { CudaError } from "./bindings/status.ts";
import type { ConvOperands, ConvProblem, ConvTail } from "./conv_problem.ts";

/** `CUDNN_CROSS_CORRELATION`. */
const CROSS_CORRELATION = 1;
/** Of `cudnnPointwiseMode_t`. */
const POINTWISE = { add: 0, relu: 100 } as const;
/** Of `cudnnBackendHeurMode_t`: by a decision tree, then whatever works. */
const HEURISTIC = { tree: 3, fallback: 2 } as const;
/** Of `cudnnBackendNumericalNote_t`. */
const NOTE = { tensorCore: 0, narrowedInputs: 1, narrowedSums: 2, nondeterministic: 4 } as const;
/** Of `cudnnBackendBehaviorNote_t`. */
const COMPILES = 0;
/** Bytes that every operand's address is a multiple of; the pool's blocks are of more. */
const ALIGNMENT = 16;
/** How tensors are known to a plan. */
const ID = { x: 1, weight: 2, y: 3, bias: 4, residual: 5, between: 10 } as const;

/** What engines may do to numbers. */
export interface PlanLimits {
  /** Float32 products may pass through TF32. */
  readonly tensorCores: boolean;
  readonly deterministic: boolean;
}

/** What a fused convolution does beside adding a bias. */
export interface TailShape {
  readonly residual: boolean;
  readonly activation: ConvTail["activation"];
}

/** An engine that does a fused convolution in one pass. */
export interface FusedPlan {
  readonly workspaceBytes: number;
  /** Queues the work. */
  run(operands: ConvOperands, tail: ConvTail, workspace: bigint): void;
}

/** Plans, and all that they were made of. */
export interface FusedPlans extends Disposable {
  /** Best first. */
  readonly plans: readonly FusedPlan[];
}

/**
 * Plans of cuDNN's graph API for y = activation(conv(x, w) + residual + bias), best first; the scale of a batch norm
 * is in the filters already. In this order, and with the bias in the format of the activations, it is one of
 * the patterns that cuDNN has ready kernels for. Engines that compile one first, a second each, are left out.
 *
 * @param most Plans that are made ready.
 * @throws {CudaError} If cuDNN refuses the description, or knows no engine; the message says why.
 */
export function fusedPlans(
  graphs: CudnnGraphs,
  { handle, problem, tail, limits, most }: {
    readonly handle: bigint;
    readonly problem: ConvProblem;
    readonly tail: TailShape;
    readonly limits: PlanLimits;
    readonly most: number;
  },
): FusedPlans {
  const own = new DisposableStack();
  try {
    const make: Make = (kind, attributes) => own.use(graphs.make(kind, attributes)).address;
    const operations = describe(make, problem, tail);
    const graph = make("graph", { handle, operations });
    const plans: FusedPlan[] = [];
    let refusal: unknown = new CudaError("cudnnBackendFinalize(plan)", 0, "no engine is usable");
    for (const config of configurations(graphs, own, { graph, limits })) {
      try {
        const plan = own.use(graphs.make("plan", { handle, config: config.address }));
        plans.push(readyPlan(graphs, handle, plan));
        if (plans.length === most) break;
      } catch (error) {
        refusal = error;
      }
    }
    if (plans.length === 0) throw refusal;
    // Whether a plan needs what it was made from is not written anywhere: all of it stays.
    const kept = own.move();
    return { plans, [Symbol.dispose]: () => kept.dispose() };
  } catch (error) {
    own.dispose();
    throw error;
  }
}

type Make = <K extends DescriptorKind>(kind: K, attributes: Attributes<K>) => bigint;

/** The operations of a fused convolution, each taking what the one before gives. */
function describe(make: Make, problem: ConvProblem, tail: TailShape): bigint[] {
  const { x, weight, y, format } = problem;
  const type = CUDNN_TYPE[format];
  const tensor = (id: number, shape: readonly number[]) =>
    describeTensor(make, { id, shape, type });
  const bias = tensor(ID.bias, [1, 1, 1, y[3]]);
  const additions = tail.residual ? [tensor(ID.residual, y), bias] : [bias];
  const steps: { readonly mode: number; readonly b?: bigint }[] = [
    ...additions.map((b) => ({ mode: POINTWISE.add, b })),
    ...tail.activation === "relu" ? [{ mode: POINTWISE.relu }] : [],
  ];
  const between = (step: number) =>
    step === steps.length ? tensor(ID.y, y) : describeTensor(make, {
      id: ID.between + step,
      shape: y,
      type: CUDNN_TYPE.float32,
      virtual: true,
    });
  let result = between(0);
  const operations = [make("convolutionForward", {
    alpha: 1,
    beta: 0,
    convolution: describeGeometry(make, problem),
    weight: tensor(ID.weight, weight),
    x: tensor(ID.x, x),
    y: result,
  })];
  steps.forEach(({ mode, b }, step) => {
    const pointwise = make("pointwise", { mode, precision: CUDNN_TYPE.float32 });
    const next = between(step + 1);
    const operands = b === undefined ? { x: result } : { x: result, b };
    operations.push(make("pointwiseOperation", { pointwise, ...operands, y: next }));
    result = next;
  });
  return operations;
}

/** A tensor that lies as `[N, H, W, C]`; cuDNN names axes in the order N, C, H, W. */
function describeTensor(
  make: Make,
  { id, shape: [n, h, w, c], type, virtual = false }: {
    readonly id: number;
    readonly shape: readonly number[];
    readonly type: number;
    readonly virtual?: boolean;
  },
): bigint {
  return make("tensor", {
    id,
    type,
    alignment: ALIGNMENT,
    sizes: [n, c, h, w],
    strides: [h * w * c, 1, w * c, c],
    ...(virtual ? { virtual } : {}),
  });
}

function describeGeometry(make: Make, { geometry }: ConvProblem): bigint {
  const { padding, stride, dilation } = geometry;
  return make("convolution", {
    computeType: CUDNN_TYPE.float32,
    mode: CROSS_CORRELATION,
    spatialAxes: 2,
    dilations: [dilation, dilation],
    strides: [stride, stride],
    paddingsBefore: [padding, padding],
    paddingsAfter: [padding, padding],
  });
}

/** Ways of engines that keep to the limits, best first. */
function* configurations(
  graphs: CudnnGraphs,
  own: DisposableStack,
  { graph, limits }: { readonly graph: bigint; readonly limits: PlanLimits },
): Generator<NativeHandle> {
  for (const mode of [HEURISTIC.tree, HEURISTIC.fallback]) {
    const heuristics = own.use(graphs.make("heuristics", { graph, mode })).address;
    const configs = graphs.parts(heuristics, {
      kind: "heuristics",
      name: "results",
      of: "engineConfig",
    });
    for (const config of configs) own.use(config);
    for (const config of configs) if (isAllowed(graphs, config.address, limits)) yield config;
  }
}

function isAllowed(graphs: CudnnGraphs, config: bigint, limits: PlanLimits): boolean {
  const query = { kind: "engineConfig", name: "engine", of: "engine", most: 1 } as const;
  const [engine] = graphs.parts(config, query);
  if (!engine) return false;
  using _ = engine;
  const notes = graphs.numbers(engine.address, { kind: "engine", name: "numericalNotes" });
  const behavior = graphs.numbers(engine.address, { kind: "engine", name: "behaviorNotes" });
  return !behavior.includes(COMPILES) &&
    !notes.includes(NOTE.narrowedInputs) && !notes.includes(NOTE.narrowedSums) &&
    (limits.tensorCores || !notes.includes(NOTE.tensorCore)) &&
    (!limits.deterministic || !notes.includes(NOTE.nondeterministic));
}

function readyPlan(graphs: CudnnGraphs, handle: bigint, plan: NativeHandle): FusedPlan {
  const query = { kind: "plan", name: "workspaceBytes", most: 1 } as const;
  const [workspaceBytes] = graphs.numbers(plan.address, query);
  return {
    workspaceBytes,
    run({ first, second, output }, { bias, residual }, workspace) {
      const addresses = [first, second, output, bias];
      const ids: number[] = [ID.x, ID.weight, ID.y, ID.bias];
      if (residual !== 0n) {
        addresses.push(residual);
        ids.push(ID.residual);
      }
      using pack = graphs.make("variantPack", { ids, addresses, workspace });
      graphs.execute(handle, plan.address, pack.address);
    },
  };
}
