/**
 * Plots of scores: curves, ranking and a map by attribute, as options of the charting library.
 *
 * @module
 */
import type { EChartsOption } from "echarts";
import { PROTOCOLS } from "../protocols/mod.ts";
import type { BenchmarkScores, TrackerScore } from "../score.ts";
import { formatFigure } from "../tables.ts";
import { axis, COLORS, FONT, frame, INK, shorten, styleOf, textWidth } from "./style.ts";

/** A plot, ready to be rendered. */
export interface Plot {
  /** Of its file, such as `pysot_success`. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  readonly option: EChartsOption;
}

const WIDTH = 860;
const CURVE_WIDTH = 610;

/** The figure that ranks the trackers in a curve's legend, by the curve's key. */
const FIGURE_OF_CURVE: Readonly<Record<string, string>> = {
  success: "success_auc",
  precision: "precision_20px",
  norm_precision: "norm_precision",
  expected_overlap: "eao",
  precision_recall: "f1",
  f1: "f1",
};

/** All plots of a benchmark's scores, those of each convention by themselves. */
export function plotScores(scores: BenchmarkScores): Plot[] {
  const byConvention = Map.groupBy(
    scores.scores.filter(({ scored }) => scored > 0),
    ({ convention }) => convention,
  );
  return [...byConvention].flatMap(([convention, list]) => {
    const part = { ...scores, scores: list };
    const plots = [...curvePlots(part), rankingPlot(part), ...attributePlots(part)];
    return plots.map((plot) => ({ ...plot, name: `${convention}_${plot.name}` }));
  });
}

function curvePlots(scores: BenchmarkScores): Plot[] {
  return Object.keys(scores.scores[0].curves).map((key) => curvePlot(scores, key));
}

function curvePlot({ benchmark, scores }: BenchmarkScores, key: string): Plot {
  const measure = measureOf(benchmark.protocol, FIGURE_OF_CURVE[key]);
  const { title, xLabel, yLabel } = scores[0].curves[key];
  const ranked = scores.toSorted((a, b) => b.values[measure.key] - a.values[measure.key]);
  const label = ({ tracker, values }: TrackerScore) =>
    `[${formatFigure(values[measure.key], measure)}] ${shorten(tracker)}`;
  const legendWidth = 50 + textWidth(ranked.map(label), 13);
  const range = key === "expected_overlap" ? benchmark.eao : undefined;
  return {
    name: key,
    width: CURVE_WIDTH + legendWidth,
    height: Math.max(520, 100 + 25 * scores.length),
    option: {
      ...frame(`${benchmark.name}: ${title.toLowerCase()} (${scores[0].convention})`),
      grid: { left: 75, right: legendWidth + 20, top: 60, bottom: 60 },
      legend: {
        orient: "vertical",
        left: CURVE_WIDTH - 5,
        top: 60,
        itemWidth: 34,
        itemStyle: { opacity: 0 },
        textStyle: { fontSize: 13, color: INK },
        data: ranked.map(label),
      },
      xAxis: { type: "value", name: xLabel, ...axis(), max: xEnd(ranked, key) },
      yAxis: { type: "value", name: yLabel, ...axis(), min: 0, nameGap: 48 },
      series: ranked.map((score, i) => ({
        name: label(score),
        type: "line",
        symbol: "none",
        ...styleOf(scores.indexOf(score)),
        data: points(score, key),
        markArea: i === 0 && range
          ? {
            itemStyle: { color: "#0000000f" },
            data: [[
              { xAxis: range.low, name: `averaged: ${range.low}–${range.high} frames` },
              { xAxis: range.high },
            ]],
            label: { color: "#444", fontSize: 12, fontFamily: FONT },
          }
          : undefined,
      })),
    },
  };
}

function points({ curves }: TrackerScore, key: string): [number, number][] {
  const { x, y } = curves[key];
  return x.map((value, i): [number, number] => [value, y[i]])
    .filter(([, value]) => !Number.isNaN(value));
}

/** Where an axis ends: with the curves, or where lengths of sequences get rare. */
function xEnd(scores: readonly TrackerScore[], key: string): number {
  const end = Math.max(...scores.map(({ curves }) => Math.max(...curves[key].x)));
  return key === "expected_overlap" ? Math.min(end, 1000) : end;
}

function rankingPlot({ benchmark, scores }: BenchmarkScores): Plot {
  const [measure] = PROTOCOLS[benchmark.protocol].measures;
  // The axis of categories begins below.
  const ranked = scores.toReversed();
  const names = ranked.map(({ tracker }) => shorten(tracker));
  return {
    name: "ranking",
    width: WIDTH,
    height: 120 + 34 * scores.length,
    option: {
      ...frame(`${benchmark.name}: ${measure.title} (${scores[0].convention})`),
      grid: { left: 25 + textWidth(names, 14), right: 80, top: 50, bottom: 55 },
      xAxis: { type: "value", name: measure.title, ...axis(), min: 0 },
      yAxis: {
        type: "category",
        data: names,
        axisLabel: { fontSize: 14, color: INK },
        axisTick: { show: false },
      },
      series: [{
        type: "bar",
        barWidth: 20,
        itemStyle: { color: COLORS[0] },
        data: ranked.map(({ values }) => values[measure.key] ?? 0),
        label: {
          show: true,
          position: "right",
          fontSize: 13,
          fontFamily: FONT,
          formatter: ({ value }) => formatFigure(Number(value), measure),
        },
      }],
    },
  };
}

/** A map of figures, attributes across and trackers down; none where there are no attributes. */
function attributePlots({ benchmark, scores }: BenchmarkScores): Plot[] {
  const [measure] = PROTOCOLS[benchmark.protocol].attributeMeasures;
  const names = [...new Set(scores.flatMap(({ attributes }) => Object.keys(attributes)))];
  if (names.length === 0) return [];
  const cells = scores.toReversed().flatMap(({ attributes }, row) =>
    names.map((name, column): [number, number, number] => [
      column,
      row,
      attributes[name]?.[measure.key] ?? NaN,
    ])
  ).filter(([, , value]) => !Number.isNaN(value));
  const values = cells.map(([, , value]) => value);
  const trackers = scores.toReversed().map(({ tracker }) => shorten(tracker));
  const left = 25 + textWidth(trackers, 14);
  const isSlanted = names.some((name) => name.length > 8);
  return [{
    name: "attributes",
    width: Math.max(WIDTH, left + 30 + 78 * names.length),
    height: (isSlanted ? 150 : 110) + 36 * scores.length,
    option: {
      ...frame(`${benchmark.name}: ${measure.title} by attribute (${scores[0].convention})`),
      grid: { left, right: 30, top: 50, bottom: isSlanted ? 100 : 60 },
      xAxis: {
        type: "category",
        data: names,
        axisLabel: {
          fontSize: 13,
          interval: 0,
          rotate: isSlanted ? 35 : 0,
          color: INK,
        },
        axisTick: { show: false },
      },
      yAxis: {
        type: "category",
        data: trackers,
        axisLabel: { fontSize: 14, color: INK },
        axisTick: { show: false },
      },
      visualMap: {
        show: false,
        min: Math.min(...values),
        max: Math.max(...values),
        inRange: { color: ["#f7fbff", "#9ecae1", "#3b8bc2"] },
      },
      series: [{
        type: "heatmap",
        data: cells,
        itemStyle: { borderColor: "#fff", borderWidth: 2 },
        label: {
          show: true,
          color: "#000",
          fontSize: 13,
          fontFamily: FONT,
          formatter: ({ value }) => formatFigure((value as number[])[2], measure),
        },
      }],
    },
  }];
}

function measureOf(protocol: keyof typeof PROTOCOLS, key: string) {
  const { measures } = PROTOCOLS[protocol];
  return measures.find((measure) => measure.key === key) ?? measures[0];
}
