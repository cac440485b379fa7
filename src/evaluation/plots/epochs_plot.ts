import { PROTOCOLS } from "../protocols/mod.ts";
import type { BenchmarkScores } from "../score.ts";
import type { Plot } from "./plots.ts";
import { axis, COLORS, frame, INK } from "./style.ts";

/**
 * The figures of a training's checkpoints by epoch, those that rank trackers: one line each.
 *
 * @param epochOf The epoch of a tracker's name.
 */
export function plotEpochs(
  { benchmark, scores }: BenchmarkScores,
  epochOf: ReadonlyMap<string, number>,
): Plot {
  const measures = PROTOCOLS[benchmark.protocol].measures.filter(({ better }) =>
    better === "higher"
  );
  const byEpoch = scores.filter(({ tracker, scored }) => epochOf.has(tracker) && scored > 0)
    .toSorted((a, b) => epochOf.get(a.tracker)! - epochOf.get(b.tracker)!);
  return {
    name: "epochs",
    width: 760,
    height: 480,
    option: {
      ...frame(`${benchmark.name}: figures by epoch (${scores[0]?.convention})`),
      grid: { left: 75, right: 30, top: 85, bottom: 60 },
      legend: { top: 45, textStyle: { fontSize: 13, color: INK } },
      xAxis: {
        type: "value",
        name: "Epoch",
        ...axis(),
        minInterval: 1,
        min: "dataMin",
        max: "dataMax",
      },
      yAxis: { type: "value", ...axis(), scale: true },
      series: measures.map(({ key, title }, i) => ({
        name: title,
        type: "line",
        color: COLORS[i % COLORS.length],
        symbolSize: 8,
        data: byEpoch.map(({ tracker, values }) => [epochOf.get(tracker)!, values[key]]),
      })),
    },
  };
}
