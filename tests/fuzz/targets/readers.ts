import { join } from "@std/path";
import { readClaim } from "../../../src/data/prepare_claim.ts";
import { readCoco } from "../../../src/data/readers/coco.ts";
import { readFlags } from "../../../src/data/readers/truncated_boxes.ts";
import { isFault } from "../../../src/data/track.ts";
import {
  pictureSize,
  readAttributes,
  readTruth,
} from "../../../src/evaluation/benchmarks/sequence_files.ts";
import { isPolygon } from "../../../src/evaluation/region.ts";
import { bytesOfText, demand, fixtures, type Target } from "../target.ts";

const INSTANCES = JSON.stringify({
  info: { year: 2017 },
  images: [{ id: 1, file_name: "a/000001.jpg", width: 640 }, { id: 2, file_name: "000002.jpg" }],
  annotations: [
    { id: 7, image_id: 1, bbox: [1, 2.5, 30, 4e1], iscrowd: 0, segmentation: [[1, 2, 3, 4]] },
    { id: 8, image_id: 2, bbox: [0, 0, 5, 5], iscrowd: 1, segmentation: { counts: "a\\u00e9" } },
  ],
});

const coco: Target = {
  name: "coco-json",
  corpus: () => [bytesOfText(INSTANCES), bytesOfText('{"images":[],"annotations":[]}')],
  async run(bytes, folder) {
    const root = join(folder, "instances_train.json");
    await Deno.writeFile(root, bytes);
    let faults = 0, tracks = 0;
    for await (const item of readCoco({ root, skipFlagged: true } as never)) {
      if (isFault(item)) faults++;
      else {
        tracks++;
        const [{ image }] = item.frames;
        demand(
          image.kind === "file" && image.path.startsWith(`${folder}/`),
          "a path in the folder",
        );
      }
    }
    if (faults > 0 && tracks === 0) throw new SyntaxError("nothing of it can be read");
  },
  allowedErrors: [SyntaxError],
  dictionary: ['"file_name":"../../x"', '"images":[', '"bbox":[', "null", "NaN", '"__proto__":'],
};

const truth: Target = {
  name: "truth-file",
  corpus: () =>
    ["1,2,3,4\n1.5\t2\t30\t40\nNaN,NaN,NaN,NaN\n", "1,2,3,2,3,4,1,4\n1\n", "0 1\n1,0"].map(
      bytesOfText,
    ),
  async run(bytes, folder) {
    const path = join(folder, "groundtruth.txt");
    await Deno.writeFile(path, bytes);
    demand((await readFlags(path)).every((flag) => typeof flag === "boolean"), "flags");
    const attributes = await readAttributes(path, ["a", "b"]);
    demand(attributes.every((name) => ["a", "b"].includes(name)), "known attributes");
    for (const region of await readTruth(path)) {
      if (region === null) continue;
      const numbers = isPolygon(region) ? region.points : Object.values(region);
      demand(numbers.length >= 4 && !numbers.some(Number.isNaN), "a region of numbers");
    }
  },
  allowedErrors: [SyntaxError],
  dictionary: ["nan", "inf", "1e400", ";", "\t", "\r", "\n\n"],
};

/** The size of a picture by its header, which a library reads. */
const size: Target = {
  name: "picture-size",
  corpus: async () => [
    ...await fixtures("images", /^(jpeg\.(gray|odd|q60).*\.jpg|gray\.png)$/),
    bytesOfText("GIF89a\x08\x00\x08\x00"),
  ],
  async run(bytes, folder) {
    const path = join(folder, "1.jpg");
    await Deno.writeFile(path, bytes);
    const found = await pictureSize(path);
    demand(found === undefined || (found.w > 0 && found.h > 0), "a size of pixels");
    if (found === undefined) throw new SyntaxError("there is no size");
  },
  allowedErrors: [SyntaxError],
  dictionary: ["\xff\xe1\xff\xff", "\xff\xc0", "II*\0", "RIFF", "WEBP", "ftypheic", "<svg ", "BM"],
};

const CLAIM = JSON.stringify({
  form: 2,
  searchSize: 511,
  source: { format: "vid" },
  plan: { videos: 2, digest: "0a" },
  done: true,
});

const claim: Target = {
  name: "prepared-claim",
  corpus: () => [bytesOfText(CLAIM)],
  async run(bytes, folder) {
    await Deno.writeFile(join(folder, "prepare.json"), bytes);
    const held = await readClaim(folder);
    demand(typeof held?.plan.digest === "string", "a plan with its digest");
  },
  allowedErrors: [RangeError],
  dictionary: ['"form":2', '"plan":', "null", "[]", '"__proto__":'],
};

export const READER_TARGETS = [coco, truth, size, claim];
