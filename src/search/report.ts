/** What a search has found, as tables and plots. */
import type { EChartsOption } from "echarts";
import type { Plot } from "../evaluation/plots/plots.ts";
import { axis, COLORS, FONT, frame, INK, textWidth } from "../evaluation/plots/style.ts";
import type { Measure } from "../evaluation/protocols/mod.ts";
import { formatFigure, type Table } from "../evaluation/tables.ts";
import { type Importance, importances } from "./importance.ts";
import type { Dimension, Space } from "./space.ts";
import type { Trial } from "./study.ts";

/** A search with its settings. */
export interface SearchResult {
  readonly title: string;
  readonly space: Space;
  readonly measure: Measure;
  readonly trials: readonly Trial[];
}

type Done = Trial & { readonly score: number };

/** Settings with a score, the best first; of equals the earlier. */
export function rankTrials({ trials, measure }: SearchResult): Done[] {
  const sign = measure.better === "higher" ? 1 : -1;
  const done = trials.filter((trial): trial is Done => trial.score !== undefined);
  return done.sort((a, b) => sign * (b.score - a.score) || a.number - b.number);
}

/** The best settings. */
export function bestTable(result: SearchResult, { rows = 10 } = {}): Table {
  const { space, measure, title } = result, ranked = rankTrials(result);
  const others = result.trials.length - ranked.length;
  return {
    title: `${title}: ${ranked.length} settings` + (others ? `, ${others} without a score` : ""),
    header: ["Setting", measure.title, ...space.map(({ name }) => name)],
    rows: ranked.slice(0, rows).map(({ number, score, values }) => [
      `#${number}`,
      formatFigure(score, { ...measure, digits: measure.digits + 1 }),
      ...space.map(({ name }) => String(values[name])),
    ]),
  };
}

/** How much each parameter mattered: see {@linkcode Importance}. */
export function importanceTable(result: SearchResult): Table {
  const figure = (value: number) => Number.isNaN(value) ? "–" : value.toFixed(2);
  return {
    title: "What mattered: share of what sets the best tenth apart (PED-ANOVA), rank correlation",
    header: ["Parameter", "Share", "Correlation", "Searched"],
    rows: importancesOf(result).map(({ name, share, correlation }) => [
      name,
      figure(share),
      figure(correlation),
      result.space.find((parameter) => parameter.name === name)!.text,
    ]),
  };
}

/** {@linkcode importances} of a search. */
export function importancesOf(
  { space, trials, measure }: Omit<SearchResult, "title">,
): Importance[] {
  const sign = measure.better === "higher" ? 1 : -1;
  return importances(
    space,
    trials.map(({ values, score }) => ({ values, score: score && sign * score })),
  );
}

/** Plots of a search: what mattered, score by parameter, and score by number of settings. */
export function plotSearch(result: SearchResult): Plot[] {
  const ranked = rankTrials(result);
  if (ranked.length === 0) return [];
  return [
    importancePlot(result),
    ...result.space.map((parameter) => parameterPlot(result, parameter, ranked)),
    historyPlot(result, ranked),
  ];
}

function importancePlot(result: SearchResult): Plot {
  // The axis of categories begins below.
  const list = importancesOf(result).reverse();
  const names = list.map(({ name }) => name);
  return {
    name: "importance",
    width: 700,
    height: 140 + 40 * list.length,
    option: {
      ...frame(`${result.title}: what mattered`),
      grid: { left: 25 + textWidth(names, 14), right: 220, top: 50, bottom: 60 },
      xAxis: {
        type: "value",
        name: "Share of what sets the best tenth apart",
        ...axis(),
        min: 0,
        max: 1,
      },
      yAxis: {
        type: "category",
        data: names,
        axisLabel: { fontSize: 14, color: INK },
        axisTick: { show: false },
      },
      series: [{
        type: "bar",
        barWidth: 22,
        itemStyle: { color: COLORS[0] },
        data: list.map(({ share }) => Number.isNaN(share) ? 0 : share),
        label: {
          show: true,
          position: "right",
          fontSize: 13,
          fontFamily: FONT,
          formatter: ({ dataIndex }) => {
            const { share, correlation } = list[dataIndex];
            const direction = Number.isNaN(correlation) ? "–" : correlation.toFixed(2);
            return `${Number.isNaN(share) ? "–" : share.toFixed(2)} (correlation ${direction})`;
          },
        },
      }],
    },
  };
}

function parameterPlot(
  { title, measure }: SearchResult,
  { name, text }: Dimension,
  ranked: readonly Done[],
): Plot {
  const [best] = ranked;
  return {
    name: `parameter_${name}`,
    ...scatter({
      title: `${title}: ${measure.title} by ${name}`,
      x: name,
      y: measure.title,
      isLog: text.startsWith("log:"),
    }, [
      { name: "settings", color: COLORS[0], points: ranked.map((t) => [t.values[name], t.score]) },
      { name: "best", color: COLORS[1], points: [[best.values[name], best.score]] },
    ]),
  };
}

function historyPlot({ title, measure }: SearchResult, ranked: readonly Done[]): Plot {
  const inOrder = ranked.toSorted((a, b) => a.number - b.number);
  const sign = measure.better === "higher" ? 1 : -1;
  let best = -Infinity;
  const bests = inOrder.map(({ number, score }): Point => {
    best = Math.max(best, sign * score);
    return [number, sign * best];
  });
  const plot = scatter(
    { title: `${title}: course of the search`, x: "Setting", y: measure.title },
    [
      { name: "settings", color: COLORS[0], points: inOrder.map((t) => [t.number, t.score]) },
    ],
  );
  const series = [
    ...plot.option.series as object[],
    {
      name: "best so far",
      type: "line",
      step: "end",
      symbol: "none",
      lineStyle: { width: 2.2, color: COLORS[1] },
      itemStyle: { color: COLORS[1] },
      data: bests,
    },
  ];
  return { name: "history", ...plot, option: { ...plot.option, series } as EChartsOption };
}

type Point = [x: number, y: number];

function scatter(
  { title, x, y, isLog = false }: {
    readonly title: string;
    readonly x: string;
    readonly y: string;
    readonly isLog?: boolean;
  },
  sets: readonly { readonly name: string; readonly color: string; readonly points: Point[] }[],
): Omit<Plot, "name"> {
  return {
    width: 700,
    height: 460,
    option: {
      ...frame(title),
      grid: { left: 80, right: 30, top: 80, bottom: 60 },
      legend: { top: 44, itemGap: 28, textStyle: { fontSize: 13, fontFamily: FONT, color: INK } },
      xAxis: { type: isLog ? "log" : "value", name: x, ...axis(), scale: true },
      yAxis: { type: "value", name: y, ...axis(), nameGap: 55, scale: true },
      series: sets.map(({ name, color, points }) => ({
        name,
        type: "scatter",
        symbolSize: sets.length > 1 && points.length === 1 ? 14 : 8,
        itemStyle: { color, opacity: points.length > 1 ? 0.7 : 1 },
        data: points,
      })),
    },
  };
}
