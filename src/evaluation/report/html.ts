/**
 * A report of scores as one page: tables, plots, and a replay of boxes against truth.
 *
 * @module
 */
import { groupMissing } from "../benchmarks/mod.ts";
import { CONVENTIONS } from "../conventions.ts";
import { trackerColors } from "../plots/style.ts";
import type { BenchmarkScores } from "../score.ts";
import { attributeTable, sequenceTable, someNames, type Table, trackerTable } from "../tables.ts";
import type { ReplaySequence } from "./replay_data.ts";
import { startReplay } from "./replay_player.ts";

/** What a report shows. */
export interface ReportContent {
  readonly scores: BenchmarkScores;
  /** Sequences of the benchmark that could not be used. */
  readonly missing?: readonly { readonly name: string; readonly reason: string }[];
  /** Plots as SVG documents. */
  readonly plots: readonly string[];
  readonly replay: readonly ReplaySequence[];
}

/** Writes a report; it needs nothing beside it but the pictures of the replay, where there are any. */
export function renderReport({ scores, missing = [], plots, replay }: ReportContent): string {
  const { name } = scores.benchmark;
  const hasAttributes = scores.scores.some(({ attributes }) => Object.keys(attributes).length > 0);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(name)}</title>
<style>${STYLE}</style>
<h1>${escape(name)}</h1>
${conventionList(scores)}
${htmlTable(trackerTable(scores))}
${problemList(scores)}
${missingList(missing)}
${extrasList(scores)}
<h2>Plots</h2>
<div class="plots">${plots.map((svg) => `<figure>${svg}</figure>`).join("\n")}</div>
${hasAttributes ? `<h2>By attribute</h2>${htmlTable(attributeTable(scores))}` : ""}
<h2>By sequence</h2>
${htmlTable(sequenceTable(scores))}
${replay.length > 0 ? replaySection(scores, replay) : ""}
</html>
`;
}

const STYLE = `
:root { color-scheme: light; background: #fff; }
body { font: 15px/1.45 "DejaVu Sans", Verdana, sans-serif; color: #222; margin: 2em auto; max-width: 1180px; padding: 0 1em; }
h1, h2 { font-weight: normal; }
.table { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; }
th, td { padding: .3em .7em; text-align: right; white-space: nowrap; border-bottom: 1px solid #ddd; }
th { white-space: normal; max-width: 8em; border-bottom: 2px solid #888; font-weight: normal; vertical-align: bottom; }
th:first-child, td:first-child { text-align: left; position: sticky; left: 0; background: #fff; }
tr:hover td { background: #f2f6fa; }
figure { margin: 1em 0; overflow-x: auto; }
.problems { color: #8a2b00; }
#replay-canvas { max-width: 100%; background: #808080; display: block; margin: .6em 0; }
#replay-controls { display: flex; gap: .8em; align-items: center; flex-wrap: wrap; }
#replay-controls input { flex: 1; min-width: 200px; }
#replay-legend { display: flex; gap: 1.2em; flex-wrap: wrap; }
`;

function conventionList({ scores }: BenchmarkScores): string {
  const names = [...new Set(scores.map(({ convention }) => convention))];
  const items = names.map((name) => `<b>${name}</b>: ${escape(CONVENTIONS[name].title)}`);
  return `<p>Figures follow ${items.join("; ")}.</p>`;
}

function problemList({ problems }: BenchmarkScores): string {
  if (problems.length === 0) return "";
  const items = problems.map(({ reason }) => `<li>${escape(reason)}</li>`).join("\n");
  return `<div class="problems"><p>${problems.length} results are left out: figures of these
trackers do not compare with those of whole sets.</p><ul>${items}</ul></div>`;
}

function missingList(missing: readonly { name: string; reason: string }[]): string {
  if (missing.length === 0) return "";
  const items = groupMissing(missing).map(({ names, reason }) =>
    `<li>${escape(names.join(", "))}: ${escape(reason)}</li>`
  );
  return `<div class="problems"><p>Without ${missing.length} sequences of the benchmark:</p>
<ul>${items.join("\n")}</ul></div>`;
}

function extrasList({ extras }: BenchmarkScores): string {
  return extras.map(({ tracker, names }) =>
    `<p class="problems">Not counted of ${escape(tracker)}, for no sequence here:
${escape(someNames(names))}</p>`
  ).join("\n");
}

function htmlTable({ header, rows }: Table): string {
  const line = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join("")}</tr>`;
  return `<div class="table"><table><thead>${line(header, "th")}</thead>
<tbody>${rows.map((row) => line(row, "td")).join("\n")}</tbody></table></div>`;
}

function replaySection({ scores }: BenchmarkScores, replay: readonly ReplaySequence[]): string {
  const all = [...new Set(scores.map(({ tracker }) => tracker))];
  const isShown = (name: string) => replay.some(({ runs }) => Object.hasOwn(runs, name));
  const trackers = all.filter(isShown), allColors = trackerColors(all.length);
  // A tracker has the colour that it has in the plots.
  const options = { trackers, colors: trackers.map((name) => allColors[all.indexOf(name)]) };
  const others = all.length > trackers.length
    ? ` Of ${all.length} trackers ${trackers.length}.`
    : "";
  // No "<" in the data: it could end the script.
  const data = JSON.stringify(replay).replaceAll("<", "\\u003c");
  return `<h2>Replay</h2>
<p>White: truth. The others are the trackers' boxes; a box that is not drawn is said below. Arrow keys
go frame by frame; an address that ends in #sequence/frame opens there.${others}</p>
<div id="replay-controls"><select id="replay-sequence"></select>
<button id="replay-play">Play</button><input id="replay-frame" type="range" min="0" value="0">
<span id="replay-note"></span></div>
<canvas id="replay-canvas" tabindex="0"></canvas>
<div id="replay-legend"></div>
<script>(${startReplay})(${data}, ${JSON.stringify(options).replaceAll("<", "\\u003c")});</script>`;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
