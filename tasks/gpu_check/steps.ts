/** Training steps beside PyTorch's, in turn within one run. */
import { type DeviceFloors, useBackend } from "../../mod.ts";
import type { TorchPeer } from "../bench/torch_peer.ts";
import { CheckedModel, type Regime, type StepCost } from "./model.ts";
import { type Figure, median, type Scale, type Section } from "./section.ts";

type Precision = "float32" | "tf32" | "bf16";

/** Our ways to step. */
const OWN = (["float32", "tf32", "bf16"] as const).flatMap((precision) =>
  [true, false].map((graph) => ({ precision, graph }))
);

/**
 * PyTorch's, and those that each precision of ours is compared with: as published, and its best. The best,
 * which takes a minute to compile, is timed beside our recorded steps only.
 */
const PEERS: Readonly<Record<Precision, { readonly same: string; readonly best: string }>> = {
  float32: { same: "eager", best: "eager+channels_last+compile" },
  tf32: { same: "eager+tf32", best: "eager+tf32+channels_last" },
  bf16: { same: "bf16", best: "bf16+channels_last+compile" },
};

/** Times every way to step in one regime. */
export async function checkSteps(
  scale: Scale,
  { regime, peer, floors, precisions }: {
    readonly regime: Regime;
    readonly peer?: TorchPeer;
    readonly floors?: DeviceFloors;
    /** Those that are timed; all. */
    readonly precisions?: readonly string[];
  },
): Promise<Omit<Section, "name">> {
  const figures: Figure[] = [];
  const facts: Record<string, unknown> = {};
  for (const way of OWN) {
    if (precisions && !precisions.includes(way.precision)) continue;
    const { same, best } = PEERS[way.precision];
    const name = `${way.precision}, graph ${way.graph ? "on" : "off"}`;
    const costs = await inTurn(scale, {
      ...way,
      regime,
      peer,
      variants: way.graph ? [same, best] : [same],
    });
    facts[name] = costs;
    figures.push(...figuresOf(name, costs, scale), ...shareOf(name, costs, floors?.matmul));
  }
  const refused = Object.values(facts).flatMap((costs) => (costs as Costs).own.refused ?? []);
  return {
    status: refused.length === 0 ? "ok" : "failed",
    detail: refused[0] ??
      (peer ? `beside PyTorch ${peer.version}` : "no PyTorch that sees the card"),
    figures,
    facts,
  };
}

interface Costs {
  readonly own: StepCost;
  /** PyTorch's milliseconds by variant, or why it failed. */
  readonly torch: Readonly<Record<string, number | string>>;
}

async function inTurn(
  scale: Scale,
  { precision, graph, regime, peer, variants }: {
    readonly precision: Precision;
    readonly graph: boolean;
    readonly regime: Regime;
    readonly peer?: TorchPeer;
    readonly variants: readonly string[];
  },
): Promise<Costs> {
  await using backend = await useBackend(scale.device, { precision });
  using model = new CheckedModel(backend, { scale, regime, graph });
  // Caches fill, algorithms are tried, a step is recorded.
  await model.warmUp();
  const own: StepCost[] = [];
  const torch: Record<string, number | string> = {};
  for (const variant of variants) {
    const times: number[] = [];
    try {
      await peer?.run(`build ${regime} ${scale.batch} ${variant}`);
      await peer?.run("step 5");
      for (let round = 0; round < scale.rounds; round++) {
        own.push(await model.time(scale.stepsPerRound));
        const answer = await peer?.run(`step ${scale.stepsPerRound}`);
        if (answer) times.push(1000 * answer.seconds);
      }
      if (peer) torch[variant] = median(times);
    } catch (error) {
      torch[variant] = (error as Error).message; // an older PyTorch does not know all of this
    }
  }
  while (own.length < scale.rounds) own.push(await model.time(scale.stepsPerRound));
  return {
    own: {
      ...own[0],
      ms: median(own.map(({ ms }) => ms)),
      hostMs: median(own.map(({ hostMs }) => hostMs)),
      peakBytes: Math.max(...own.map(({ peakBytes }) => peakBytes)),
    },
    torch,
  };
}

/** How much of the card's rate of products a step's convolutions reach. */
function shareOf(name: string, { own }: Costs, matmul: DeviceFloors["matmul"]): Figure[] {
  const precision = OWN.find(({ precision }) => name.startsWith(precision))!.precision;
  if (!matmul) return [];
  const rate = own.operations / (own.ms / 1000);
  return [{
    name: `${name}: convolutions`,
    value: rate / 1e12,
    unit: "TFLOP/s",
    against: { name: "the card's matrix products", ratio: rate / matmul[precision] },
  }];
}

function figuresOf(name: string, { own, torch }: Costs, { batch }: Scale): Figure[] {
  const [same, best] = Object.entries(torch);
  const ratio = (entry: [string, number | string] | undefined) =>
    typeof entry?.[1] === "number"
      ? { name: `PyTorch ${entry[0]}`, ratio: entry[1] / own.ms }
      : undefined;
  const compared = ratio(same), toBest = ratio(best);
  const graph = name.endsWith("on");
  return [
    {
      name: `${name}: step`,
      value: own.ms,
      unit: "ms",
      ...(compared
        ? {
          against: compared,
          ...(graph ? { goal: { text: "1.5 times as fast", met: compared.ratio >= 1.5 } } : {}),
        }
        : {}),
    },
    ...toBest
      ? [{
        name: `${name}: step`,
        value: own.ms,
        unit: "ms",
        against: toBest,
        ...(graph ? { goal: { text: "no slower", met: toBest.ratio >= 1 } } : {}),
      }]
      : [],
    { name: `${name}: pairs`, value: 1000 * batch / own.ms, unit: "pairs/s" },
    {
      name: `${name}: JavaScript`,
      value: own.hostMs,
      unit: "ms",
      ...(graph ? { goal: { text: "under 1 ms", met: own.hostMs < 1 } } : {}),
    },
    { name: `${name}: peak memory`, value: own.peakBytes / 2 ** 30, unit: "GiB" },
  ];
}
