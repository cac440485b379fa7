import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { AnnotationTableBuilder } from "../../src/data/annotation_table.ts";
import { readAnnotations, writeAnnotations } from "../../src/data/annotations.ts";
import { openAnnotations } from "../../src/data/open_annotations.ts";
import { SubDataset } from "../../src/data/sub_dataset.ts";
import { Rng } from "../../src/random.ts";
import { fixtureJson } from "./golden.ts";
import { temporaryFolder } from "./demo.ts";

interface MadeUp {
  readonly videos?: number;
  /** Whether single precision holds the coordinates. */
  readonly single?: boolean;
  readonly seed?: number;
}

/** Writes annotations of uneven tracks with names of every kind. */
async function writeMadeUp(path: string, { videos = 30, single = false, seed = 1 }: MadeUp = {}) {
  const builder = new AnnotationTableBuilder(), rng = new Rng(seed);
  const side = () => single ? rng.integer(500) + 1 : rng.uniform() * 500 + 1e-3;
  for (let video = 0; video < videos; video++) {
    builder.startVideo(video % 5 === 0 ? `Übung/火${video}` : `v${video}`);
    for (let track = 0; track <= rng.integer(3); track++) {
      builder.startTrack(`0${track}`);
      for (let frame = 0; frame <= rng.integer(40); frame++) {
        const x1 = side(), y1 = side();
        builder.add(3 * frame, { x1, y1, x2: x1 + side(), y2: y1 + side() });
      }
    }
  }
  await writeAnnotations(path, builder.build());
}

/** Says that a file was last touched long ago, as far as that can be said. */
function settle(path: string): void {
  Deno.utimeSync(path, new Date(2020, 1), new Date(2020, 1));
}

for (const single of [true, false]) {
  Deno.test(`openAnnotations() has the columns of readAnnotations(), ${single ? 20 : 36} bytes a box`, async () => {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/train.json`;
    await writeMadeUp(path, { videos: 2000, single }); // more boxes than are buffered
    const { table } = readAnnotations(path);
    const made = openAnnotations(path), opened = openAnnotations(path);
    assertEquals([made.origin, opened.origin], ["new index", "index"]);
    for (const { table: { columns } } of [made, opened]) {
      const { boxes, ...others } = columns;
      assertEquals({ ...others, boxes: Float64Array.from(boxes) }, table.columns);
      assertEquals(boxes.BYTES_PER_ELEMENT, single ? 4 : 8);
    }
    assertEquals([...Deno.readDirSync(folder.path)].length, 2, "nothing else is left");
  });
}

Deno.test("openAnnotations() leaves out what the reference leaves out", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/train.json`;
  const { input } = fixtureJson("sub_dataset.json");
  await Deno.writeTextFile(path, JSON.stringify(input));
  const { table, droppedBoxes } = readAnnotations(path);
  for (let i = 0; i < 2; i++) {
    const opened = openAnnotations(path);
    assertEquals(opened.droppedBoxes, droppedBoxes);
    assertEquals(opened.table.videoCount, table.videoCount);
    for (let video = 0; video < table.videoCount; video++) {
      assertEquals(opened.table.videoName(video), table.videoName(video));
      assertEquals(opened.table.tracksOf(video), table.tracksOf(video));
    }
    for (let box = 0; box < table.boxCount; box++) {
      assertEquals(opened.table.box(box), table.box(box));
      assertEquals(opened.table.frame(box), table.frame(box));
    }
  }
});

Deno.test("openAnnotations() makes the index again when the annotations are others", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/train.json`;
  await writeMadeUp(path);
  openAnnotations(path);
  await writeMadeUp(path, { seed: 2 });
  assertEquals(openAnnotations(path).origin, "new index");
  assertEquals(openAnnotations(path).origin, "index");
  assertEquals(openAnnotations(path).table.columns, readAnnotations(path).table.columns);
});

Deno.test("openAnnotations() sees a change that keeps size and time", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/train.json`;
  await writeMadeUp(path, { single: true });
  settle(path);
  const before = openAnnotations(path).table.box(0);
  const text = await Deno.readTextFile(path);
  const number = text.match(/\d+\n? *\]/)!; // the last number of the first box
  const digit = Number(number[0][0]);
  const at = number.index!;
  const changed = text.slice(0, at) + (digit === 9 ? 8 : digit + 1) + text.slice(at + 1);
  assertEquals(changed.length, text.length);
  await Deno.writeTextFile(path, changed);
  settle(path);
  const opened = openAnnotations(path);
  assertEquals(opened.origin, "new index");
  assertNotEquals(opened.table.box(0), before);
});

Deno.test("openAnnotations() keeps the index of a file that was copied or touched", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/train.json`, copy = `${folder.path}/copy.json`;
  await writeMadeUp(path);
  openAnnotations(path);
  await Deno.copyFile(path, copy);
  await Deno.copyFile(`${path}.index`, `${copy}.index`);
  settle(copy);
  assertEquals(openAnnotations(copy).origin, "index");
});

Deno.test("openAnnotations() makes a damaged or cut index again", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/train.json`;
  await writeMadeUp(path);
  openAnnotations(path);
  const wanted = readAnnotations(path).table.columns;
  const whole = await Deno.readFile(`${path}.index`);
  const flip = (at: number) => whole.map((byte, i) => i === at ? byte ^ 1 : byte);
  const damaged = [
    new Uint8Array(0),
    whole.slice(0, 100),
    whole.slice(0, whole.length / 2),
    whole.slice(0, -1),
    Uint8Array.from([...whole, 0]),
    ...[0, 9, 41, 73, 81, 96, 137].map(flip), // in the header: magic, size, hash, checksum, counts
    ...[192, whole.length >> 1, whole.length - 9].map(flip),
  ];
  for (const bytes of damaged) {
    await Deno.writeFile(`${path}.index`, bytes);
    const { origin, table } = openAnnotations(path);
    assertEquals([origin, table.columns], ["new index", wanted]);
  }
});

Deno.test("openAnnotations() removes what a killed process left of an index, not what another writes", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/train.json`;
  await writeMadeUp(path);
  for (const name of ["left", "being-written"]) {
    await Deno.writeTextFile(`${path}.index.${name}`, "half an index");
  }
  settle(`${path}.index.left`);
  openAnnotations(path);
  const names = [...Deno.readDirSync(folder.path)].map(({ name }) => name).sort();
  assertEquals(names, ["train.json", "train.json.index", "train.json.index.being-written"]);
});

Deno.test("openAnnotations() leaves no index of annotations that it cannot read", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/train.json`;
  await Deno.writeTextFile(path, '{"a": {"00": {"000001": [0, 0, 5, "x"]}}}');
  assertThrows(() => openAnnotations(path), SyntaxError, "line 1");
  assertThrows(() => openAnnotations(`${folder.path}/none.json`), Deno.errors.NotFound);
  assertEquals(Array.from(Deno.readDirSync(folder.path), ({ name }) => name), ["train.json"]);
});

Deno.test({
  name: "openAnnotations() reads the text where no index can be written",
  ignore: Deno.uid() === 0, // who may write everywhere
  async fn() {
    await using folder = await temporaryFolder();
    const path = `${folder.path}/train.json`;
    await writeMadeUp(path);
    await Deno.chmod(folder.path, 0o500);
    assertEquals(openAnnotations(path).origin, "text");
    await Deno.chmod(folder.path, 0o700);
  },
});

Deno.test("SubDataset.open() draws the same pairs from the index as from the text", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/train.json`;
  await writeMadeUp(path);
  const options = { name: "A", root: folder.path, anno: path, frameRange: 5, numUse: -1 };
  const text = new SubDataset({ options, columns: readAnnotations(path).table.columns });
  for (let i = 0; i < 2; i++) {
    const set = SubDataset.open(options);
    for (let seed = 0; seed < 50; seed++) {
      const video = seed % set.videoCount;
      const pair = set.positivePair(video, new Rng(seed));
      assertEquals(pair, text.positivePair(video, new Rng(seed)));
      assert(pair[0].box.x2 > pair[0].box.x1);
    }
  }
});
