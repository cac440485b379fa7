import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { annotationNames, TRACK_READERS } from "../../../src/data/readers/mod.ts";
import { contentOf, prepareAll, temporaryFolder } from "../demo.ts";
import { fixtureJson, fixturePath } from "../golden.ts";

const SETS = [
  ["vid", "vid"],
  ["det", "det"],
  ["yt_bb", "youtubebb"],
  ["coco", "coco"],
  ["got_10k", "got10k"],
  ["lasot", "lasot"],
] as const;

type Annotations = Record<string, Record<string, Record<string, number[]>>>;

/** Prepares a raw tree of the fixtures; the annotations and crop files. */
async function prepareSet(
  [folder, format]: typeof SETS[number],
  { asPublished }: { asPublished: boolean },
) {
  await using out = await temporaryFolder();
  const reading = { root: fixturePath(`${folder}/input`), asPublished };
  const names = await annotationNames(format, reading);
  const tracks = () => TRACK_READERS[format](reading);
  const options = { out: out.path, workers: 0, asPublished, annotationNames: names };
  const { counts, plan } = await prepareAll({ tracks, ...options });
  const refused = Object.values(counts.refused).reduce((sum, n) => sum + n, 0);
  assertEquals(counts.written + refused + counts.quarantined, plan.boxes);
  const read = (name: string): Annotations =>
    JSON.parse(Deno.readTextFileSync(join(out.path, `${name}.json`)));
  const crops = [...(await contentOf(join(out.path, "crop511"))).keys()].sort();
  return { names, train: read(names.train), val: read(names.val), crops };
}

/** Crop files that annotations name. */
function named(...annotations: Annotations[]): string[] {
  const names: string[] = [];
  for (const [video, tracks] of annotations.flatMap((part) => Object.entries(part))) {
    for (const [track, frames] of Object.entries(tracks)) {
      const folder = video.replace(/^\.\//, "");
      names.push(...Object.keys(frames).map((frame) => `${folder}/${frame}.${track}.x.jpg`));
    }
  }
  return names.sort();
}

for (const set of SETS) {
  const [folder] = set;
  Deno.test(`prepare() as published gives the published files of ${folder}`, async () => {
    const { names, train, val, crops } = await prepareSet(set, { asPublished: true });
    assertEquals(train, fixtureJson(`${folder}/expected/${names.train}.json`));
    assertEquals(val, fixtureJson(`${folder}/expected/${names.val}.json`));
    const expected: string[] = fixtureJson(`${folder}/expected/crop_files.json`);
    assertEquals(crops, expected.map((path) => path.replace("crop511/", "")));
  });

  Deno.test(`prepare() corrects the published files of ${folder} where they are wrong`, async () => {
    const { names, train, val, crops } = await prepareSet(set, { asPublished: false });
    assertEquals(crops, named(train, val)); // a crop for each annotation, and no other
    const expected: Annotations = fixtureJson(`${folder}/expected/${names.train}.json`);
    if (folder === "vid") {
      // The earlier run of a target that comes again, and no box without an area.
      const video = expected["a/ILSVRC2015_train_00000000"];
      video["01"] = { "000000": [20, 10, 60, 44], "000001": [20, 11, 60, 45], ...video["01"] };
      delete video["04"]["000007"];
    }
    if (folder === "yt_bb") {
      // Pixels of a picture of 88 x 66, and no box without an area.
      delete expected["./yt_bb_detection_train/4/zeroWidth00"];
      for (const boxes of Object.values(expected).flatMap((video) => Object.values(video))) {
        for (const box of Object.values(boxes)) box.forEach((n, i) => box[i] = n * [88, 66][i % 2]);
      }
    }
    assertEquals(train, expected);
    if (folder !== "yt_bb") assertEquals(val, fixtureJson(`${folder}/expected/${names.val}.json`));
  });
}
