/** Plots and the report of `deno task evaluate`. */
import { join } from "@std/path";
import {
  type BenchmarkScores,
  gatherReplay,
  type Plot,
  plotEpochs,
  plotScores,
  renderReport,
  replayable,
  type ScoredBenchmark,
} from "../../src/evaluation/mod.ts";
import { PngRenderer, renderSvg } from "../../src/evaluation/plots/render.ts";

/** Draws curves, ranking and attributes as SVG and PNG. */
export function drawScores(scores: BenchmarkScores, folder: string): Promise<void> {
  return draw(scores, plotScores(scores), folder);
}

/** Draws the scores of checkpoints by their epoch. */
export function drawEpochs(
  scores: BenchmarkScores,
  epochOf: ReadonlyMap<string, number>,
  folder: string,
): Promise<void> {
  return draw(scores, [plotEpochs(scores, epochOf)], folder);
}

async function draw(
  { benchmark }: BenchmarkScores,
  plots: readonly Plot[],
  folder: string,
): Promise<void> {
  const png = await PngRenderer.open();
  await Deno.mkdir(folder, { recursive: true });
  for (const plot of plots) {
    const svg = renderSvg(plot), path = join(folder, `${benchmark.name}_${plot.name}`);
    await Deno.writeTextFile(`${path}.svg`, svg);
    await Deno.writeFile(`${path}.png`, png.render(svg));
    console.log(`${path}.svg, .png`);
  }
}

/** Writes the page of tables, plots and replay. */
export async function writeReport(
  { scores, sequences, missing, trackers, benchmark }: ScoredBenchmark,
  file: string,
): Promise<void> {
  const names = [...new Set(scores.scores.map(({ tracker }) => tracker))];
  const ranked = names.flatMap((name) => trackers.find((tracker) => tracker.name === name) ?? []);
  const shown = replayable(ranked, sequences);
  const replay = [...gatherReplay(sequences, shown, benchmark.protocol)];
  const plots = plotScores(scores).map(renderSvg);
  await Deno.writeTextFile(file, renderReport({ scores, missing, plots, replay }));
  console.log(file);
}
