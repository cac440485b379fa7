import { type Measure, PROTOCOLS, type Values } from "./protocols/mod.ts";
import type { BenchmarkScores, TrackerScore } from "./score.ts";

/** A table of text; the first column is a name, the others are figures. */
export interface Table {
  readonly title: string;
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A figure in words: fixed digits, a dash where there is none. */
export function formatFigure(value: number | undefined, { digits }: Measure): string {
  return value === undefined || Number.isNaN(value) ? "–" : value.toFixed(digits);
}

/** Figures of each tracker, the best first; `58/60` marks one that is scored on part of the set. */
export function trackerTable({ benchmark, scores, expected }: BenchmarkScores): Table {
  const { measures } = PROTOCOLS[benchmark.protocol];
  const conventions = new Set(scores.map(({ convention }) => convention));
  const named = conventions.size > 1;
  return {
    title: `${benchmark.name}, ${[...conventions].join(", ")}`,
    header: [
      "Tracker",
      ...named ? ["Convention"] : [],
      ...measures.map(({ title }) => title),
      "Sequences",
    ],
    rows: sideBySide(scores).map(({ tracker, convention, values, scored }) => [
      tracker,
      ...named ? [convention] : [],
      ...measures.map((measure) => formatFigure(values[measure.key], measure)),
      `${scored}/${expected}`,
    ]),
  };
}

/** All conventions of a tracker together, the trackers ranked by the first convention. */
function sideBySide(scores: readonly TrackerScore[]): TrackerScore[] {
  return [...Map.groupBy(scores, ({ tracker }) => tracker).values()].flat();
}

/** Figures by sequence, a column a tracker and measure. */
export function sequenceTable({ benchmark, scores }: BenchmarkScores): Table {
  const { sequenceMeasures } = PROTOCOLS[benchmark.protocol];
  return crossTable("By sequence", scores, sequenceMeasures, ({ sequences }) => sequences);
}

/** Figures by attribute or tag, a column a tracker and measure. */
export function attributeTable({ benchmark, scores }: BenchmarkScores): Table {
  const [measure] = PROTOCOLS[benchmark.protocol].attributeMeasures;
  return crossTable(
    `By attribute: ${measure.title}`,
    scores,
    [measure],
    ({ attributes }) => attributes,
  );
}

function crossTable(
  title: string,
  scores: readonly TrackerScore[],
  measures: readonly Measure[],
  partsOf: (score: TrackerScore) => Readonly<Record<string, Values>>,
): Table {
  const names = [...new Set(scores.flatMap((score) => Object.keys(partsOf(score))))];
  const isMixed = new Set(scores.map(({ convention }) => convention)).size > 1;
  const columns = sideBySide(scores).flatMap((score) =>
    measures.map((measure) => ({ score, measure }))
  );
  return {
    title,
    header: [
      "",
      ...columns.map(({ score: { tracker, convention }, measure }) =>
        [tracker, ...isMixed ? [convention] : [], ...measures.length > 1 ? [measure.title] : []]
          .join(" ")
      ),
    ],
    rows: names.map((name) => [
      name,
      ...columns.map(({ score, measure }) =>
        formatFigure(partsOf(score)[name]?.[measure.key], measure)
      ),
    ]),
  };
}

/** A table as aligned lines: names to the left, figures to the right. */
export function formatTable({ title, header, rows }: Table): string {
  const widths = header.map((word, i) =>
    Math.max(...[word, ...rows.map((row) => row[i])].map(
      (text) => [...text].length,
    ))
  );
  const line = (row: readonly string[]) =>
    row.map((word, i) => i === 0 ? word.padEnd(widths[i]) : word.padStart(widths[i])).join("  ")
      .trimEnd();
  const rule = "-".repeat(widths.reduce((sum, width) => sum + width + 2, -2));
  return [title, rule, line(header), rule, ...rows.map(line), rule].join("\n");
}

/** Enough of many names to see what they are. */
export function someNames(names: readonly string[], { most = 8 } = {}): string {
  const shown = names.slice(0, most).join(", ");
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}
