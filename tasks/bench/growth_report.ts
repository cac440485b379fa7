import type { Plot } from "../../mod.ts";
import type { Growth } from "./growth.ts";

/** A cost's growth as lines of a Markdown table, with its slope. */
export function formatGrowth({ name, by, unit, points, slope }: Growth): string {
  const head = [by, ...points.map(({ label }) => label)];
  const row = [`${name}, ${unit}`, ...points.map(({ cost }) => cost.toPrecision(3))];
  const lines = [head, head.map(() => "---"), row].map((cells) => `| ${cells.join(" | ")} |`);
  const fitted = slope === undefined
    ? []
    : ["", `${name} grows as ${by} to the ${slope.toFixed(2)}`];
  return [...lines, ...fitted].join("\n");
}

/** A cost against its quantity, both axes logarithmic; bars where the quantity is a name. */
export function plotGrowth({ name, by, unit, points, slope }: Growth): Plot {
  const named = slope === undefined;
  const text = { fontFamily: "DejaVu Sans", fontSize: 13 };
  const fitted = named ? "" : ` (slope ${slope.toFixed(2)})`;
  return {
    name: `${name} by ${by}`.replaceAll(/[^a-z]+/g, "_"),
    width: 640,
    height: 420,
    option: {
      animation: false,
      backgroundColor: "#fff",
      textStyle: text,
      title: { text: `${name} by ${by}${fitted}`, left: "center", top: 12, textStyle: text },
      grid: { left: 75, right: 30, top: 50, bottom: 60 },
      xAxis: {
        type: "category",
        data: points.map(({ label }) => label),
        name: by,
        nameLocation: "middle",
        nameGap: 32,
      },
      yAxis: named ? { type: "value", name: unit } : { type: "log", name: unit },
      series: [{
        type: named ? "bar" : "line",
        symbolSize: 8,
        data: points.map(({ cost }) => Number(cost.toPrecision(4))),
      }],
    },
  };
}
