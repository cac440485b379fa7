/** How plots look. */
import type { EChartsOption } from "echarts";

/** Told apart without colour vision too (Okabe and Ito), darkest first. */
export const COLORS = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#000000",
  "#e69f00",
  "#56b4e9",
  "#8b6f00",
];

const LINES = ["solid", "dashed", "dotted"] as const;

/** The renderer of PNG brings it along. */
export const FONT = "DejaVu Sans";
/** Of text. */
export const INK = "#222";

/** Colours of so many trackers, as the plots give them in the order of rank. */
export function trackerColors(count: number): string[] {
  return Array.from({ length: count }, (_, i) => COLORS[i % COLORS.length]);
}

/** A tracker keeps its colour in all plots. */
export function styleOf(index: number) {
  const color = COLORS[index % COLORS.length];
  const type = LINES[Math.floor(index / COLORS.length) % LINES.length];
  return { color, lineStyle: { width: 2.2, type, color } };
}

/** Longest name that a plot has room for. */
const NAME_LENGTH = 26;

/** A name with its middle left out where it is long. */
export function shorten(name: string): string {
  return name.length <= NAME_LENGTH ? name : `${name.slice(0, 12)}…${name.slice(13 - NAME_LENGTH)}`;
}

/** Room for the longest of some texts, in pixels; there is no canvas to measure it with. */
export function textWidth(texts: readonly string[], fontSize: number): number {
  return Math.ceil(Math.max(...texts.map((text) => text.length)) * fontSize * 0.62);
}

/** What all plots share. */
export function frame(title: string): EChartsOption {
  return {
    animation: false,
    backgroundColor: "#fff",
    color: COLORS,
    textStyle: { fontFamily: FONT, color: INK },
    title: {
      text: title,
      left: "center",
      top: 12,
      textStyle: { fontSize: 17, fontFamily: FONT, fontWeight: "normal", color: INK },
    },
  };
}

/** An axis with its name beside the middle. */
export function axis() {
  return {
    nameLocation: "middle",
    nameGap: 32,
    nameTextStyle: { fontSize: 14, fontFamily: FONT, color: INK },
    axisLabel: { fontSize: 13, fontFamily: FONT, color: INK },
    axisLine: { show: true, lineStyle: { color: "#888" } },
    splitLine: { lineStyle: { color: "#e4e4e4" } },
  } as const;
}
