import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { BANDataset } from "../../src/data/ban_dataset.ts";
import { AnnotationTableBuilder } from "../../src/data/annotation_table.ts";
import { PAIR_OPTIONS } from "./demo.ts";

/** A set of videos with one box each. */
function set(name: string, videos: number, numUse: number) {
  const builder = new AnnotationTableBuilder();
  for (let i = 0; i < videos; i++) {
    builder.startVideo(`${name}${i}`);
    builder.startTrack("00");
    builder.add(0, { x1: 0, y1: 0, x2: 10, y2: 10 });
  }
  const options = { name, root: "r", anno: "a", frameRange: 1, numUse };
  return { options, columns: builder.build().columns };
}

function picksOf(dataset: BANDataset, { seed = 1, epochs = 1 } = {}): string[] {
  return Array.from({ length: epochs * dataset.samplesPerEpoch }, (_, position) => {
    const epoch = Math.floor(position / dataset.samplesPerEpoch);
    const index = position % dataset.samplesPerEpoch;
    const { set, video } = dataset.pickAt({ seed, epoch, index });
    return set.table.videoName(video);
  });
}

const count = (names: string[]) => Map.groupBy(names, (name) => name);

Deno.test("BANDataset.pickAt() takes each set's numUse videos in a pass", () => {
  const sets = [set("A", 5, 12), set("B", 400, 150), set("C", 3, -1)];
  const dataset = new BANDataset({ sets, options: { ...PAIR_OPTIONS, videosPerEpoch: -1 } });
  assertEquals(dataset.samplesPerEpoch, 12 + 150 + 3);
  const passes = picksOf(dataset, { epochs: 3 });
  const first = passes.slice(0, 165), second = passes.slice(165, 330);
  const counts = count(first);
  const ofA = [...counts].filter(([name]) => name[0] === "A").map(([, picks]) => picks.length);
  assertEquals(ofA.toSorted(), [2, 2, 2, 3, 3]); // 12 picks of 5 videos: two shuffles and two more
  const ofB = [...counts].filter(([name]) => name[0] === "B").map(([, picks]) => picks.length);
  assertEquals([ofB.length, Math.max(...ofB)], [150, 1]);
  // The reference picks once for the run: the same videos in each pass, in another order.
  assertEquals(first.toSorted(), second.toSorted());
  assert(first.join() !== second.join());
  assert(picksOf(dataset, { seed: 2 }).toSorted().join() !== first.toSorted().join());
});

Deno.test("BANDataset.pickAt() mixes the sets over the whole pass", () => {
  const sets = [set("A", 1000, -1), set("B", 1000, -1)];
  const dataset = new BANDataset({ sets, options: { ...PAIR_OPTIONS, videosPerEpoch: 0 } });
  const picks = picksOf(dataset);
  for (let quarter = 0; quarter < 4; quarter++) {
    const ofA = picks.slice(500 * quarter, 500 * quarter + 500).filter((name) => name[0] === "A");
    assert(Math.abs(ofA.length - 250) < 50, `${ofA.length}`); // deviation below 10
  }
});

Deno.test("BANDataset.pickAt() cuts passes into epochs of videosPerEpoch", () => {
  const sets = [set("A", 30, -1)];
  const options = { ...PAIR_OPTIONS, videosPerEpoch: 20 };
  const dataset = new BANDataset({ sets, options });
  const picks = picksOf(dataset, { epochs: 3 });
  assertEquals(new Set(picks.slice(0, 30)).size, 30);
  assertEquals(new Set(picks.slice(30)).size, 30);
});

Deno.test("BANDataset.pairAt() draws negative and gray pairs as often as told", () => {
  const sets = [set("A", 50, -1), set("B", 500, -1)];
  const options = { ...PAIR_OPTIONS, videosPerEpoch: 20000, neg: 0.2, gray: 0.3 };
  const dataset = new BANDataset({ sets, options });
  const pairs = Array.from(
    { length: 20000 },
    (_, index) => dataset.pairAt({ seed: 3, epoch: 0, index }),
  );
  const share = (test: (pair: typeof pairs[0]) => boolean, of = pairs) =>
    of.filter(test).length / of.length;
  assertAlmostEquals(share((pair) => pair.negative), 0.2, 0.015);
  assertAlmostEquals(share((pair) => pair.gray), 0.3, 0.017);
  const negatives = pairs.filter((pair) => pair.negative);
  // The other target comes from any set, however small.
  assertAlmostEquals(share((pair) => pair.search.dataset === "A", negatives), 0.5, 0.04);
  assert(
    pairs.filter((pair) => !pair.negative).every((pair) =>
      pair.search.video === pair.template.video
    ),
  );
});

Deno.test("BANDataset draws no negative and no gray pair at probability 0", () => {
  const dataset = new BANDataset({
    sets: [set("A", 5, -1)],
    options: { ...PAIR_OPTIONS, neg: 0, gray: 0 },
  });
  for (let index = 0; index < 500; index++) {
    const { negative, gray } = dataset.pairAt({ seed: 1, epoch: 0, index });
    assertEquals([negative, gray], [false, false]);
  }
});

Deno.test("BANDataset.pairAt() gives substitutes of their own, the same each time", () => {
  const sets = [set("A", 5000, -1)];
  const dataset = new BANDataset({ sets, options: { ...PAIR_OPTIONS, videosPerEpoch: 0 } });
  const position = { seed: 1, epoch: 0, index: 3 };
  const pairs = [0, 1, 2, 3].map((attempt) => dataset.pairAt(position, attempt));
  assertEquals(pairs, [0, 1, 2, 3].map((attempt) => dataset.pairAt(position, attempt)));
  assertEquals(new Set(pairs.map(({ template }) => template.path)).size, 4);
});

Deno.test("BANDataset refuses to pick from nothing", () => {
  const nothing = () => new BANDataset({ sets: [set("A", 3, 0)], options: PAIR_OPTIONS });
  assertThrows(nothing, RangeError, "Cannot train on no pairs");
});
