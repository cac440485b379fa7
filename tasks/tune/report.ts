/** What the command prints and draws. */
import { join } from "@std/path";
import {
  bestTable,
  formatTable,
  importancesOf,
  importanceTable,
  type Measure,
  plotSearch,
  rankTrials,
  type search,
  type SearchResult,
  type Trial,
} from "../../mod.ts";
import { type Options, overridesOf } from "./options.ts";

/** While nothing else is to be told. */
const MS_BETWEEN_LINES = 15_000;

/** Prints each setting when it is scored, and in between how far the sequences are. */
export async function follow(events: ReturnType<typeof search>, measure: Measure): Promise<void> {
  let searches = 0, answered = 0, told = performance.now();
  for await (const event of events) {
    if (event.kind === "trial") console.log(trialLine(event.trial, measure));
    else if (event.kind === "waiting") {
      console.log(`Waiting for ${event.settings} settings of other programs`);
    } else {
      searches += event.searches;
      answered += event.answered;
      if (performance.now() - told < MS_BETWEEN_LINES) continue;
      console.log(`    ${event.number} of ${event.of} sequences with ${event.settings} settings`);
    }
    told = performance.now();
  }
  if (searches > 0) {
    const shared = (100 * (1 - answered / searches)).toFixed(0);
    console.log(
      `The network answered ${answered} of ${searches} searches, ${shared} % were shared`,
    );
  }
}

function trialLine({ number, values, score, reason }: Trial, { title, digits }: Measure): string {
  const settings = Object.entries(values).map(([name, value]) => `${name}=${value}`).join(" ");
  const outcome = reason === undefined
    ? `${title} ${score!.toFixed(digits + 1)}`
    : `no score: ${reason}`;
  return `#${number}  ${outcome}  ${settings}`;
}

/** Prints and draws what was found. */
export async function tell(
  result: SearchResult,
  { plots, json, study, running }: Options & { readonly running: number },
): Promise<void> {
  const [best] = rankTrials(result);
  console.log("\n" + formatTable(bestTable(result)));
  console.log("\n" + formatTable(importanceTable(result)));
  const overrides = best && overridesOf(best.values);
  if (best) console.log(`\nBest: ${overrides.map((text) => `--set ${text}`).join(" ")}`);
  if (plots) await drawPlots(result, plots);
  if (!json) return;
  const { key } = result.measure, trials = result.trials.length;
  const importance = importancesOf(result);
  console.log(JSON.stringify({
    study,
    benchmark: result.title,
    measure: key,
    trials,
    running,
    best: best && { number: best.number, score: best.score, values: best.values, overrides },
    importance,
  }));
}

async function drawPlots(result: SearchResult, folder: string): Promise<void> {
  // Loaded only here, because the charting library is large.
  const { PngRenderer, renderSvg } = await import("../../src/evaluation/plots/render.ts");
  const png = await PngRenderer.open();
  await Deno.mkdir(folder, { recursive: true });
  for (const plot of plotSearch(result)) {
    const svg = renderSvg(plot), path = join(folder, plot.name);
    await Deno.writeTextFile(`${path}.svg`, svg);
    await Deno.writeFile(`${path}.png`, png.render(svg));
    console.log(`${path}.svg, .png`);
  }
}
