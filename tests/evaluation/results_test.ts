import { assertEquals, assertThrows } from "@std/assert";
import { dirname, join } from "@std/path";
import { listTrackers } from "../../src/evaluation/result_names.ts";
import {
  parseTrajectory,
  type ProtocolName,
  type RawResult,
  ResultError,
  TrackerResults,
} from "../../src/evaluation/results.ts";
import type { Sequence } from "../../src/evaluation/sequence.ts";

const box = { x: 1, y: 2, w: 3, h: 4 };

function sequenceOf(name: string, frames = 2): Sequence {
  return { name, frames: [], truth: Array(frames).fill(box), attributes: [] };
}

/** Runs a test on a folder of results. */
async function withFiles(
  files: Record<string, string>,
  test: (folder: string) => void | Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.mkdir(dirname(join(folder, name)), { recursive: true });
      await Deno.writeTextFile(join(folder, name), text);
    }
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** What is parsed of the text of a file. */
function parse(text: string, protocol: ProtocolName) {
  return [...parseTrajectory(new TextEncoder().encode(text), "f", protocol)];
}

/** The answers of each repetition. */
function answersOf({ runs }: RawResult) {
  return runs.map((run) => [...run]);
}

const two = "1,2,3,4\n1,2,3,4\n";

Deno.test("parseTrajectory() takes commas, tabs, spaces, exponents, and marks", () => {
  const text =
    "1\n1,2,3,4\r\n1\t2\t3\t4\n 1 2  3 4 \n1e0, 2.0, 3, 4\n2.0000\n0\n1,1,5,1,5,5,1,5\n\n";
  assertEquals(parse(text, "restart"), [
    1,
    box,
    box,
    box,
    box,
    2,
    0,
    { points: [1, 1, 5, 1, 5, 5, 1, 5] },
  ]);
});

Deno.test("parseTrajectory() names the line that is malformed", () => {
  const bad = (text: string) => () => parse(`1,2,3,4\n${text}\n1,2,3,4`, "ope");
  assertThrows(bad("1,2,x,4"), ResultError, '"f", line 2: "x" is not a number');
  assertThrows(bad("1,2,3"), ResultError, "line 2: found 3 numbers, expected 4");
  assertThrows(bad("1,2,,4"), ResultError, "line 2: found 3 numbers");
  assertThrows(bad(""), ResultError, "line 2: it is blank");
  assertThrows(bad("nan,nan,nan,nan"), ResultError, "line 2: found no box");
  assertThrows(bad("1"), ResultError, "line 2: found no box");
});

Deno.test("parseTrajectory() takes NaN for no answer where that is allowed", () => {
  assertEquals(parse("1\nNaN,NaN,NaN,NaN", "longTerm"), [1, 0]);
});

Deno.test("TrackerResults.read() finds all repetitions of a VOT run, in order", async () => {
  const files = {
    "T/baseline/bag/bag_002.txt": "1\n5,5,5,5\n",
    "T/baseline/bag/bag_001.txt": "1\n1,2,3,4\n",
    "T/baseline/bag/bag_time.txt": "0\n",
  };
  await withFiles(files, (folder) => {
    const result = new TrackerResults(join(folder, "T")).read(sequenceOf("bag"), "restart");
    assertEquals(answersOf(result), [[1, box], [1, { x: 5, y: 5, w: 5, h: 5 }]]);
  });
});

Deno.test("TrackerResults.read() finds flat files, GOT-10k folders and other spellings", async () => {
  const files = { "jogging_1.txt": two, "Human4.txt": two, "GOT_1/GOT_1_001.txt": two };
  await withFiles(files, (folder) => {
    const tracker = new TrackerResults(folder);
    for (const name of ["Jogging-1", "Human4-2", "GOT_1"]) {
      assertEquals(answersOf(tracker.read(sequenceOf(name), "ope")), [[box, box]], name);
    }
  });
});

Deno.test("TrackerResults.read() names what is missing and what is too short or long", async () => {
  const files = { "a.txt": "1,2,3,4\n", "b.txt": two + "1,2,3,4\n", "empty.txt": "" };
  await withFiles(files, (folder) => {
    const tracker = new TrackerResults(folder, "T");
    const read = (name: string) => () => tracker.read(sequenceOf(name), "ope");
    assertThrows(read("c"), ResultError, 'Cannot find results of "T" on "c"');
    assertThrows(read("a"), ResultError, "it has 1 frames, expected 2");
    assertThrows(read("b"), ResultError, "it has 3 frames, expected 2");
    assertThrows(read("empty"), ResultError, "it has 0 frames, expected 2");
    const shortest = { lengths: "shortest" } as const;
    assertEquals((tracker.read(sequenceOf("b"), "ope", shortest)).runs[0].length, 2);
    assertEquals((tracker.read(sequenceOf("a"), "ope", shortest)).runs[0].length, 1);
    const longer = { ...sequenceOf("b"), mayExceed: true };
    assertEquals((tracker.read(longer, "ope")).runs[0].length, 2);
  });
});

Deno.test("TrackerResults.read() reads confidences beside long-term results", async () => {
  const files = {
    "longterm/a/a_001.txt": "1\n1,2,3,4\n",
    "longterm/a/a_001_confidence.value": "\n0.500000\n",
    "longterm/b/b_001.txt": "1\n1,2,3,4\n",
    "longterm/b/b_001_confidence.value": "\n",
    "longterm/c/c_001.txt": "1\n1,2,3,4\n",
  };
  await withFiles(files, (folder) => {
    const tracker = new TrackerResults(folder);
    const { confidences } = tracker.read(sequenceOf("a"), "longTerm");
    assertEquals([...confidences![0]], [NaN, 0.5]);
    assertThrows(
      () => tracker.read(sequenceOf("b"), "longTerm"),
      ResultError,
      "it has 1 lines, expected 2",
    );
    const absent = `${folder}/longterm/c/c_001_confidence.value`;
    const error = assertThrows(() => tracker.read(sequenceOf("c"), "longTerm"), ResultError);
    assertEquals(error.message, `Cannot read "${absent}": No such file or directory (os error 2)`);
  });
});

Deno.test("TrackerResults.read() takes pytracking's prefixes and tabs, and line ends of Windows", async () => {
  const files = {
    "uav_bike1.txt": "1\t2\t3\t4\r\n1\t2\t3\t4\r\n",
    "nfs_dog.txt": "\ufeff1 2 3 4\n1;2;3;4",
  };
  await withFiles(files, (folder) => {
    const tracker = new TrackerResults(folder);
    for (const name of ["bike1", "dog"]) {
      assertEquals(answersOf(tracker.read(sequenceOf(name), "ope")), [[box, box]]);
    }
    assertEquals(tracker.extras([sequenceOf("bike1")], "ope"), ["nfs_dog.txt"]);
  });
});

Deno.test("TrackerResults.read() refuses to choose between two files", async () => {
  const files = { "jogging_1.txt": two, "Jogging.1.txt": two, "dog.txt": two, "Dog.txt": two };
  await withFiles(files, (folder) => {
    const tracker = new TrackerResults(folder, "T");
    assertThrows(() => tracker.read(sequenceOf("Jogging-1"), "ope"), ResultError, "keep one");
    // The one that is spelt as the sequence is meant.
    assertEquals(tracker.read(sequenceOf("Dog"), "ope").runs.length, 1);
  });
});

Deno.test("TrackerResults.extras() names what belongs to no sequence", async () => {
  const files = {
    "a.txt": two,
    "a_time.txt": "1",
    "b.txt": two,
    "c/c_001.txt": two,
    "notes.md": "",
    ".hidden.txt": "",
    "baseline/x/x_001.txt": two,
  };
  await withFiles(files, (folder) => {
    const tracker = new TrackerResults(folder);
    assertEquals(tracker.extras([sequenceOf("a")], "ope"), ["b.txt", "c"]);
    assertEquals(tracker.extras([sequenceOf("a")], "restart"), ["x"]);
  });
});

Deno.test("parseTrajectory() takes no box with something beside it, and nothing infinite", () => {
  const parseRow = (row: string, protocol: ProtocolName) => () => parse(`1\n${row}`, protocol);
  assertThrows(
    parseRow("7,1,2,3,4,0.9", "ope"),
    ResultError,
    "line 2: found 6 numbers, expected 4",
  );
  assertEquals(parseRow("0,0,9,0,0,9", "restart")()[1], { points: [0, 0, 9, 0, 0, 9] });
  assertThrows(parseRow("1,2,inf,4", "ope"), ResultError, "not finite");
  assertThrows(parseRow("1,2,-3,4", "ope"), ResultError, "line 2: found the size -3 x 4");
  assertEquals(parseRow("1,2,0,4", "ope")().length, 2);
  assertThrows(parseRow("1,2,3,-Infinity", "restart"), ResultError, "not finite");
  assertThrows(parseRow("nan,nan,nan,nan", "restart"), ResultError, "found NaN");
});

Deno.test("TrackerResults.read() takes only runs with restarts where restarts are scored", async () => {
  const runs = {
    whole: "1\n1,2,3,4\n2\n0\n0\n0\n0\n1\n1,2,3,4\n",
    lostAtTheEnd: "1\n1,2,3,4\n1,2,3,4\n1,2,3,4\n1,2,3,4\n1,2,3,4\n1,2,3,4\n2\n0\n",
    onePass: "1,2,3,4\n".repeat(9),
    noRestart: "1\n1,2,3,4\n2\n0\n1,2,3,4\n1,2,3,4\n1,2,3,4\n1,2,3,4\n1,2,3,4\n",
  };
  const files = Object.fromEntries(
    Object.entries(runs).map(([name, text]) => [`baseline/${name}/${name}_001.txt`, text]),
  );
  await withFiles(files, (folder) => {
    const tracker = new TrackerResults(folder);
    const read = (name: string) => tracker.read(sequenceOf(name, 9), "restart").runs[0];
    assertEquals(read("whole").length, 9);
    assertEquals(read("lostAtTheEnd").markAt(8), 0);
    assertThrows(() => read("onePass"), ResultError, "line 1: found a region, expected 1 (start)");
    assertThrows(() => read("noRestart"), ResultError, "line 5: found a region, expected 1");
  });
});

Deno.test("listTrackers() tells a tracker's folder from a folder of trackers", async () => {
  const files = { "A/s.txt": two, "B/baseline/s/s_001.txt": two, "README.txt": "" };
  await withFiles(files, async (folder) => {
    const sequences = [sequenceOf("s")];
    assertEquals(await listTrackers(folder, sequences), [join(folder, "A"), join(folder, "B")]);
    for (const name of ["A", "B"]) {
      const path = join(folder, name);
      assertEquals(await listTrackers(path, sequences), [path]);
    }
  });
});

Deno.test("listTrackers() finds pytracking's folders in folders", async () => {
  const files = {
    "dimp/dimp50_000/uav_s.txt": two,
    "dimp/dimp50_001/uav_s.txt": two,
    "flat/S.txt": two,
    "empty/notes/x.txt": "",
  };
  await withFiles(files, async (folder) => {
    assertEquals(
      await listTrackers(folder, [sequenceOf("s")]),
      ["dimp/dimp50_000", "dimp/dimp50_001", "empty", "flat"].map((name) => join(folder, name)),
    );
  });
});
