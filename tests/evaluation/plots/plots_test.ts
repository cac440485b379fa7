import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { imageSize } from "image-size";
import { benchmarkNamed } from "../../../src/evaluation/benchmarks/mod.ts";
import { plotScores } from "../../../src/evaluation/plots/plots.ts";
import { PngRenderer, renderSvg } from "../../../src/evaluation/plots/render.ts";
import type { BenchmarkScores, TrackerScore } from "../../../src/evaluation/score.ts";

function scoreOf(tracker: string, eao: number): TrackerScore {
  const curve = {
    title: "Expected overlap",
    xLabel: "Length",
    yLabel: "Overlap",
    x: [1, 2, 3],
    y: [1, eao, NaN],
  };
  return {
    tracker,
    convention: "pysot",
    scored: 1,
    values: { eao },
    sequences: {},
    attributes: { occlusion: { eao }, motion: { eao: NaN } },
    curves: { expected_overlap: curve },
  };
}

const scores: BenchmarkScores = {
  benchmark: benchmarkNamed("VOT2018"),
  expected: 1,
  scores: [
    scoreOf("First & <best>", 0.449),
    scoreOf("A tracker of a name that is too long for a plot", 0.3),
    { ...scoreOf("Nothing", 0), scored: 0, values: {}, attributes: {}, curves: {} },
  ],
  problems: [],
  extras: [],
};

Deno.test("plotScores() draws curves, ranking and attributes of the trackers that have scores", () => {
  const plots = plotScores(scores);
  assertEquals(plots.map(({ name }) => name), [
    "pysot_expected_overlap",
    "pysot_ranking",
    "pysot_attributes",
  ]);
  for (const plot of plots) {
    const svg = renderSvg(plot);
    assertStringIncludes(svg, "First &amp; &lt;best&gt;");
    assertStringIncludes(svg, "A tracker of…");
    assertStringIncludes(svg, "0.449");
    assert(!svg.includes("Nothing") && !svg.includes("NaN"), plot.name);
  }
});

Deno.test("plotScores() of nothing is nothing", () => {
  assertEquals(plotScores({ ...scores, scores: scores.scores.slice(2) }), []);
});

Deno.test("PngRenderer sets text, so that a picture differs from one without", async () => {
  const renderer = await PngRenderer.open();
  const draw = (text: string) =>
    renderer.render(
      `<svg xmlns="http://www.w3.org/2000/svg" width="60" height="20"><text x="2" y="15">${text}</text></svg>`,
    );
  const { width, height } = imageSize(draw("EAO"));
  assertEquals([width, height], [120, 40]);
  assert(draw("EAO").length > draw("").length);
  assertEquals(
    await PngRenderer.open().then((again) =>
      again.render("<svg xmlns='http://www.w3.org/2000/svg' width='1' height='1'/>").length > 0
    ),
    true,
  );
});
