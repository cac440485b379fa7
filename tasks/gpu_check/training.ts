/** A training as it would run, for some hundred steps on one batch. */
import { useBackend } from "../../mod.ts";
import { CheckedModel } from "./model.ts";
import type { Scale, Section } from "./section.ts";

/** Trains with recorded steps, and watches loss and memory. */
export async function checkTraining(scale: Scale): Promise<Omit<Section, "name">> {
  await using backend = await useBackend(scale.device);
  const cuda = backend.cuda!;
  using model = new CheckedModel(backend, { scale, regime: "trained", graph: true });
  const warm = Math.min(6, scale.steps - 2);
  const start = await model.run(warm);
  const before = cuda.statistics();
  const { figures, ms, hostMs } = await model.run(scale.steps - warm);
  const after = cuda.statistics();
  const { planned, refused } = cuda.convolutions.fused;
  const fused = { planned, refused: Object.fromEntries(refused) };
  const totals = [...start.figures, ...figures].map(({ losses }) => losses.total);
  const faults = [
    ...totals.every(Number.isFinite) ? [] : ["a loss is no number"],
    ...totals.at(-1)! < totals[0] ? [] : [`the loss went from ${totals[0]} to ${totals.at(-1)}`],
    ...after.memory.blocks === before.memory.blocks ? [] : ["device memory leaks"],
    ...after.hostKernels.size === 0
      ? []
      : [`on the host ran ${[...after.hostKernels.keys()].join(", ")}`],
  ];
  return {
    status: faults.length === 0 ? "ok" : "failed",
    detail: faults.join("; ") ||
      `${scale.steps} steps, loss ${totals[0].toFixed(3)} -> ${totals.at(-1)!.toFixed(3)}`,
    figures: [
      { name: "step", value: ms / figures.length, unit: "ms" },
      { name: "JavaScript", value: hostMs / figures.length, unit: "ms" },
      { name: "fused convolutions by cuDNN's graph API", value: planned, unit: "shapes" },
      { name: "fused convolutions by the older call", value: refused.size, unit: "shapes" },
      { name: "peak memory", value: after.memory.peakReserved / 2 ** 30, unit: "GiB" },
    ],
    facts: { totals, memory: after.memory, convolutionsRefused: cuda.convolutions.refused, fused },
  };
}
