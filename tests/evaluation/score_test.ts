import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  attributeTable,
  benchmarkNamed,
  type BenchmarkScores,
  type Convention,
  CONVENTIONS,
  formatTable,
  gatherScores,
  readBenchmark,
  scoreTrackers,
  sequenceTable,
  toScoresJson,
  TrackerResults,
  trackerTable,
} from "../../src/evaluation/mod.ts";
import { realData } from "./golden.ts";

const box = { x: 10, y: 10, w: 20, h: 20 };
const benchmark = benchmarkNamed("OTB100");
const sequences = ["a", "b"].map((name) => ({
  name,
  frames: [],
  truth: [box, box],
  attributes: ["OCC"],
}));

/** Scores trackers whose files have these texts. */
async function scoreFiles(
  trackers: Record<string, Record<string, string>>,
  conventions: Convention[] = [CONVENTIONS.pysot],
): Promise<BenchmarkScores> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [tracker, files] of Object.entries(trackers)) {
      await Deno.mkdir(join(folder, tracker));
      for (const [name, text] of Object.entries(files)) {
        await Deno.writeTextFile(join(folder, tracker, name), text);
      }
    }
    const results = Object.keys(trackers).map((name) => new TrackerResults(join(folder, name)));
    const options = { benchmark, sequences, trackers: results, conventions };
    return await gatherScores(scoreTrackers(options), options);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const good = "10,10,20,20\n10,10,20,20\n";
const poor = "10,10,20,10\n10,10,20,10\n";

Deno.test("gatherScores() ranks trackers and reports what could not be scored", async () => {
  const scores = await scoreFiles({
    nothing: {},
    poor: { "a.txt": poor, "b.txt": poor },
    partial: { "a.txt": good, "b.txt": "10,10,20,20\n" },
  });
  assertEquals(scores.scores.map(({ tracker, scored }) => [tracker, scored]), [
    ["partial", 1],
    ["poor", 2],
    ["nothing", 0],
  ]);
  assertEquals(scores.problems.map(({ tracker, sequence }) => `${tracker} ${sequence}`), [
    "nothing a",
    "nothing b",
    "partial b",
  ]);
  assert(scores.problems[2].reason.includes("it has 1 frames, expected 2"));
});

Deno.test("scoreTrackers() takes results that begin later where a toolkit leaves frames out", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "Tiger1.txt"), good);
    const truth = [{ x: 90, y: 90, w: 5, h: 5 }, box, box];
    const score = async (sequence: object) => {
      const sequences = [{ name: "Tiger1", frames: [], truth, attributes: [], ...sequence }];
      const trackers = [new TrackerResults(folder, "T")], conventions = [CONVENTIONS.pysot];
      const [event] = await Array.fromAsync(
        scoreTrackers({ benchmark, sequences, trackers, conventions }),
      );
      return event;
    };
    const event = await score({ mayOmit: 1 });
    assertEquals(event.kind === "score" && event.values.ao, 1);
    assertEquals((await score({})).kind, "problem");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("tables show every tracker, a dash where there is no figure", async () => {
  const scores = await scoreFiles({
    nothing: {},
    poor: { "a.txt": poor, "b.txt": poor },
  });
  assertEquals(
    formatTable(trackerTable(scores)),
    `OTB100, pysot
--------------------------------------------------------------------------------
Tracker  Success  Precision  Norm. prec.     AO  SR 0.5  SR 0.75  Sequences
`.replace(/-{80}/, "-".repeat(75)) + `${"-".repeat(75)}
poor       0.476      1.000        0.000  0.500   0.000    0.000        2/2
nothing        –          –            –      –       –        –        0/2
${"-".repeat(75)}`,
  );
  assertEquals(attributeTable(scores).rows, [["OCC", "0.476", "–"]]);
  assertEquals(sequenceTable(scores).rows.map(([name]) => name), ["a", "b"]);
});

Deno.test("conventions stand side by side, those of a tracker together", async () => {
  const scores = await scoreFiles(
    { poor: { "a.txt": poor, "b.txt": poor }, good: { "a.txt": good, "b.txt": good } },
    [CONVENTIONS.pysot, CONVENTIONS.got10k],
  );
  assertEquals(trackerTable(scores).rows.map((row) => row.slice(0, 2)), [
    ["good", "pysot"],
    ["good", "got10k"],
    ["poor", "pysot"],
    ["poor", "got10k"],
  ]);
  const json = toScoresJson(scores);
  assertEquals(json.convention, "pysot");
  assertEquals(Object.keys(json.conventions!), ["pysot", "got10k"]);
  assertEquals(json.trackers.poor.ao, 0.5);
  assertAlmostEquals(json.conventions!.got10k.poor.ao, 0.75);
});

Deno.test("scoreTrackers() refuses hidden truth and conventions without rules", async () => {
  const hidden = [{ ...sequences[0], truth: [box], frames: ["1.jpg", "2.jpg"] }];
  const options = { benchmark, trackers: [], conventions: [CONVENTIONS.pysot] };
  const first = (changed: object) => () =>
    scoreTrackers({ ...options, sequences, ...changed }).next();
  await assertRejects(first({ sequences: hidden }), RangeError, "but its first box");
  await assertRejects(first({ sequences: [] }), RangeError, "no sequence was found");
  await assertRejects(
    first({ benchmark: benchmarkNamed("VOT2018"), conventions: [CONVENTIONS.pytracking] }),
    RangeError,
    "has no rules",
  );
});

Deno.test({
  name: "published VOT2018 results have the published accuracy, robustness, lost number and EAO",
  ignore: realData === undefined,
  async fn() {
    const vot = benchmarkNamed("vot2018");
    const content = await readBenchmark(vot, `${realData}/VOT2018.json`);
    assertEquals([content.sequences.length, content.missing], [60, []]);
    const read = (name: string) => JSON.parse(Deno.readTextFileSync(`${realData}/${name}`));
    const expected = read("expected.json"), parts = read("expected_per_sequence.json");
    const trackers = Object.keys(expected.trackers)
      .map((name) => new TrackerResults(`${realData}/results/VOT2018/${name}`));
    const options = { ...content, trackers, conventions: [CONVENTIONS.pysot] };
    const { scores, problems } = await gatherScores(scoreTrackers(options), options);
    assertEquals(problems, []);
    for (const { tracker, values, attributes, sequences } of scores) {
      for (const key of ["accuracy", "robustness", "lost_number", "eao", "total_frames"]) {
        assertAlmostEquals(values[key], expected.trackers[tracker][key], 1e-6, `${tracker} ${key}`);
      }
      for (const [tag, eao] of Object.entries<number>(expected.eao_per_tag[tracker])) {
        assertAlmostEquals(attributes[tag].eao, eao, 1e-6, `${tracker} ${tag}`);
      }
      for (const [name, part] of Object.entries<Record<string, number>>(parts[tracker])) {
        assertAlmostEquals(sequences[name].accuracy, part.accuracy, 1e-6, `${tracker} ${name}`);
        assertEquals(sequences[name].lost_number, part.lost);
        assertEquals(sequences[name].frames, part.frames);
        assertEquals(sequences[name].valid_frames, part.valid_frames);
      }
    }
  },
});
