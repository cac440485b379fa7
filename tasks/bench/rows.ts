import type { Plot } from "../../mod.ts";

/** A row of the table: a median, ours and the others'. */
export interface Row {
  readonly name: string;
  readonly unit: "s" | "ms" | "pairs/s";
  readonly ours: number;
  readonly torch?: number;
  /** How many times faster than PyTorch: the median of the rounds' ratios. */
  readonly ratio?: number;
  /** ONNX Runtime's, of a frame's network. */
  readonly onnx?: number;
  /** How many times faster than ONNX Runtime. */
  readonly onnxRatio?: number;
  /** More figures of this row. */
  readonly details?: Readonly<Record<string, number>>;
  /** What else is to be said. */
  readonly note?: string;
}

/** Where the rows come from. */
export interface BenchMachine {
  readonly processor: string;
  readonly backend: string;
  readonly threads: number;
  readonly torch?: string;
  readonly peakBytes: { readonly ours: number; readonly torch?: number };
}

/** A row of rounds that were taken in turn. */
export function compare(name: string, ours: readonly number[], torch: readonly number[]): Row {
  const row: Row = { name, unit: "s", ours: median(ours) };
  if (torch.length === 0) return row;
  return { ...row, torch: median(torch), ratio: medianRatio(torch, ours) };
}

/** Median of the ratios of what was taken in the same round. */
export function medianRatio(theirs: readonly number[], ours: readonly number[]): number {
  return median(theirs.map((time, round) => time / ours[round]));
}

/** The row as a line to read while others are still measured. */
export function formatRow(row: Row): string {
  const { name, unit, ours, torch, ratio, onnx, onnxRatio, details = {}, note } = row;
  const figure = (value: number) => `${value.toPrecision(3)} ${unit}`;
  const beside = (peer: string, value?: number, ratio?: number) =>
    value === undefined ? "" : `, ${peer} ${figure(value)}, ${ratio!.toFixed(2)} x as fast`;
  const more = Object.entries(details).map(([what, value]) =>
    `, ${value.toPrecision(what.startsWith("loss") ? 5 : 3)} ${what}`
  );
  return `${name}: ${figure(ours)}${beside("PyTorch", torch, ratio)}` +
    `${beside("ONNX Runtime", onnx, onnxRatio)}${more.join("")}${note ? `; ${note}` : ""}`;
}

/** The rows as a Markdown table, with the machine above it. */
export function formatTable(rows: readonly Row[], machine: BenchMachine): string {
  const { processor, backend, threads, torch, peakBytes } = machine;
  const head = ["work", "here", "PyTorch", "ratio", "ONNX Runtime", "ratio"];
  const cells = rows.map(({ name, unit, ours, torch, ratio, onnx, onnxRatio }) => [
    `${name}, ${unit}`,
    ours.toPrecision(3),
    torch?.toPrecision(3) ?? "",
    ratio?.toFixed(2) ?? "",
    onnx?.toPrecision(3) ?? "",
    onnxRatio?.toFixed(2) ?? "",
  ]);
  const memory = peakBytes.torch ? `; PyTorch's ${formatBytes(peakBytes.torch)}` : "";
  return [
    `${processor}, ${backend}, threads: ${threads}${torch ? `; PyTorch ${torch}` : ""}; ` +
    `peak memory ${formatBytes(peakBytes.ours)}${memory}`,
    "",
    ...[head, head.map(() => "---"), ...cells].map((row) => `| ${row.join(" | ")} |`),
  ].join("\n");
}

/** Writes the rows as JSON, as a Markdown table, and their ratios as a plot. */
export async function writeRows(
  out: string,
  rows: readonly Row[],
  machine: BenchMachine,
): Promise<void> {
  const { renderSvg } = await import("../../src/evaluation/plots/render.ts");
  await Deno.mkdir(out, { recursive: true });
  await Deno.writeTextFile(`${out}/bench.json`, JSON.stringify({ ...machine, rows }, null, 2));
  await Deno.writeTextFile(`${out}/bench.md`, `${formatTable(rows, machine)}\n`);
  const plot = plotRatios(rows);
  await Deno.writeTextFile(`${out}/${plot.name}.svg`, renderSvg(plot));
}

/** How many times faster than each peer, as bars from the first row at the top. */
export function plotRatios(rows: readonly Row[]): Plot {
  const compared = rows.filter(({ ratio, onnxRatio }) => ratio ?? onnxRatio).toReversed();
  const text = { fontFamily: "DejaVu Sans", fontSize: 12 };
  const bars = (name: string, key: "ratio" | "onnxRatio") => ({
    name,
    type: "bar" as const,
    data: compared.map((row) => row[key] === undefined ? "-" : Number(row[key].toFixed(2))),
    label: { show: true, position: "right" as const },
    // Where neither is faster.
    markLine: { silent: true, symbol: "none", data: [{ xAxis: 1 }], label: { show: false } },
  });
  return {
    name: "ratios",
    width: 820,
    height: 110 + 40 * compared.length,
    option: {
      animation: false,
      backgroundColor: "#fff",
      textStyle: text,
      title: { text: "times as fast as the others", left: "center", top: 8, textStyle: text },
      legend: { top: 32 },
      grid: { left: 290, right: 60, top: 65, bottom: 35 },
      xAxis: { type: "value", min: 0 },
      yAxis: { type: "category", data: compared.map(({ name }) => name) },
      series: [bars("PyTorch", "ratio"), bars("ONNX Runtime", "onnxRatio")],
    },
  };
}

/** Bytes for people to read. */
export function formatBytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(2)} GiB`;
}

/** The middle of an odd number of values, or between the middle two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
