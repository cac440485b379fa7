import type { Plot } from "../../mod.ts";
import type { Growth, LineFit, PowerFit } from "./growth.ts";

/** A cost's growth as lines of a Markdown table, with what fits it below. */
export function formatGrowth(growth: Growth): string {
  const { name, by, unit, points } = growth;
  const head = [by, ...points.map(({ label }) => label)];
  const row = [`${name}, ${unit}`, ...points.map(({ cost }) => cost.toPrecision(3))];
  const lines = [head, head.map(() => "---"), row].map((cells) => `| ${cells.join(" | ")} |`);
  const fitted = formatFit(growth);
  return [...lines, ...fitted ? ["", `${name} by ${by}: ${fitted}`] : []].join("\n");
}

function formatFit({ by, unit, fit }: Growth): string | undefined {
  if (fit?.kind === "power") return `grows with the power ${fit.slope.toFixed(2)}`;
  if (fit === undefined) return undefined;
  return `${fit.start.toFixed(0)} + ${fit.slope.toFixed(1)} x ${by}, in ${unit}`;
}

const TEXT = { fontFamily: "DejaVu Sans", fontSize: 13 };

/** A cost against its quantity, with the curve that fits it; bars where the quantity is a name. */
export function plotGrowth(growth: Growth): Plot {
  const { name, by, unit, points, fit } = growth;
  const title = `${name} by ${by}`, fitted = formatFit(growth);
  const most = Math.max(...points.map(({ x }) => x));
  const axis = { name: by, nameLocation: "middle", nameGap: 32 } as const;
  const digits = (cost: number) => Number(cost.toPrecision(4));
  return {
    name: title.replaceAll(/[^a-z]+/g, "_"),
    width: 640,
    height: 420,
    option: {
      animation: false,
      backgroundColor: "#fff",
      textStyle: TEXT,
      title: { text: title, subtext: fitted, left: "center", top: 8, textStyle: TEXT },
      grid: { left: 80, right: 30, top: 65, bottom: 60 },
      xAxis: fit
        ? { ...axis, type: "value", max: most }
        : { ...axis, type: "category", data: points.map(({ label }) => label) },
      yAxis: { type: "value", name: unit, min: 0 },
      series: fit
        ? [
          { type: "line", showSymbol: false, data: curve(fit, most), lineStyle: { width: 1 } },
          { type: "scatter", symbolSize: 9, data: points.map(({ x, cost }) => [x, digits(cost)]) },
        ]
        : [{ type: "bar", data: points.map(({ cost }) => digits(cost)) }],
    },
  };
}

function curve(fit: PowerFit | LineFit, most: number): number[][] {
  return Array.from({ length: 51 }, (_, i) => most * i / 50).map((x) => [
    x,
    fit.kind === "line" ? fit.start + fit.slope * x : fit.factor * x ** fit.slope,
  ]);
}

/** Writes costs' growth as JSON, as tables, and a plot each. */
export async function writeGrowths(
  out: string,
  growths: readonly Growth[],
  machine: object,
): Promise<void> {
  const { renderSvg } = await import("../../src/evaluation/plots/render.ts");
  await Deno.mkdir(out, { recursive: true });
  await Deno.writeTextFile(`${out}/growth.json`, JSON.stringify({ ...machine, growths }, null, 2));
  await Deno.writeTextFile(`${out}/growth.md`, `${growths.map(formatGrowth).join("\n\n")}\n`);
  for (const growth of growths) {
    const plot = plotGrowth(growth);
    await Deno.writeTextFile(`${out}/${plot.name}.svg`, renderSvg(plot));
  }
}
