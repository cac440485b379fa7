import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import {
  benchmarkNamed,
  CONVENTIONS,
  gatherReplay,
  gatherScores,
  renderReport,
  replayable,
  scoreTrackers,
  TrackerResults,
} from "../../../src/evaluation/mod.ts";

const box = { x: 1.04, y: 2, w: 3, h: 4 };

/** A report of one tracker on two sequences, of which it has one. */
async function makeReport() {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(folder, "<T>"));
    await Deno.writeTextFile(join(folder, "<T>", "a.txt"), "1,2,3,4\n1,2,3,4\n");
    const sequences = ["a", "b</script>"].map((name) => ({
      name,
      frames: [],
      truth: [box, null],
      attributes: ["OCC"],
    }));
    const trackers = [new TrackerResults(join(folder, "<T>"))];
    const benchmark = benchmarkNamed("DTB70");
    const options = { benchmark, sequences, trackers, conventions: [CONVENTIONS.pysot] };
    const scores = await gatherScores(scoreTrackers(options), options);
    const replay = [...gatherReplay(sequences, trackers, "ope")];
    return { scores, replay, html: renderReport({ scores, plots: ["<svg></svg>"], replay }) };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("renderReport() shows tables, plots, problems and a replay, and escapes names", async () => {
  const { html } = await makeReport();
  assertStringIncludes(html, "<td>&lt;T&gt;</td>");
  assertStringIncludes(html, "<svg></svg>");
  assertStringIncludes(html, "By attribute");
  assertStringIncludes(html, "1 results are left out");
  assertStringIncludes(html, "replay-canvas");
  assert(!html.includes("<T>") && !html.includes("b</script>"));
});

Deno.test("the script of a report is JavaScript that runs without this program", async () => {
  const { html } = await makeReport();
  const script = /<script>([\s\S]*)<\/script>/.exec(html)![1];
  // Only compiled: there is no page.
  assertEquals(typeof new Function(script), "function");
});

Deno.test("gatherReplay() rounds, marks absence and leaves out missing results", async () => {
  const { replay } = await makeReport();
  assertEquals(replay[0], {
    name: "a",
    width: 4,
    height: 6,
    pictures: [],
    truth: [[1, 2, 3, 4], []],
    runs: { "<T>": [[1, 2, 3, 4], [1, 2, 3, 4]] },
  });
  assertEquals(replay[1].runs, {});
});

Deno.test("replayable() takes as many of the best as a page has room for", () => {
  const sequence = { name: "a", frames: [], truth: Array(100).fill(null), attributes: [] };
  const names = ["first", "second", "third"];
  // The truth takes room as well.
  assertEquals(replayable(names, [sequence], 400), names);
  assertEquals(replayable(names, [sequence, sequence], 600), ["first", "second"]);
  assertEquals(replayable(names, [sequence], 10), ["first"]);
});
