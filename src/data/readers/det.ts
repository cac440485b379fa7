import { basename, join } from "@std/path";
import type { ReadFault, Track, TrackReaderOptions } from "../track.ts";
import { readAnnotationXml } from "./annotation_xml.ts";
import { listFolder, toFault } from "./folders.ts";
import { ilsvrcParts, locateIlsvrc } from "./ilsvrc.ts";

/** The parts of the set by the letter under which the published annotations name them. */
export const DET_PARTS: Readonly<Record<string, string>> = {
  a: "train/ILSVRC2013_train",
  b: "train/ILSVRC2014_train_0000",
  c: "train/ILSVRC2014_train_0001",
  d: "train/ILSVRC2014_train_0002",
  e: "train/ILSVRC2014_train_0003",
  f: "train/ILSVRC2014_train_0004",
  g: "train/ILSVRC2014_train_0005",
  h: "train/ILSVRC2014_train_0006",
  i: "val",
};

/**
 * ILSVRC DET: `Annotations/DET/train/<part>/<picture>.xml` and `Data/DET/train/<part>/…JPEG`, one
 * folder deeper in the part `a`. Each picture is a video of one frame, each object a track; the
 * part `i` goes to val.json.
 *
 * A box that begins outside the picture is left out, but uses up its number
 * (training_dataset/det/gen_json.py).
 */
export async function* readDet(options: TrackReaderOptions): AsyncGenerator<Track | ReadFault> {
  const root = await locateIlsvrc(options.root, "DET");
  for (const { letter, folder } of await ilsvrcParts(root, "DET", DET_PARTS)) {
    for await (const path of annotationFiles(folder, letter === "a")) {
      const video = `${letter}/${basename(path).split(".")[0]}`;
      try {
        yield* readPicture(path, video, options.asPublished ?? false);
      } catch (error) {
        yield toFault(path, error);
      }
    }
  }
}

async function* annotationFiles(folder: string, isDeep: boolean): AsyncGenerator<string> {
  const { folders, files } = await listFolder(folder);
  const isAnnotation = (file: string) => file.endsWith(".xml");
  if (!isDeep) yield* files.filter(isAnnotation).map((file) => join(folder, file));
  else for (const name of folders) yield* annotationFiles(join(folder, name), false);
}

async function* readPicture(
  path: string,
  video: string,
  asPublished: boolean,
): AsyncGenerator<Track> {
  const { objects } = await readAnnotationXml(path);
  const data = path.replace(/\/Annotations\/(?!.*\/Annotations\/)/, "/Data/");
  const image = { kind: "file", path: data.replace(/\.xml$/, ".JPEG") } as const;
  for (const [index, { corners: [x1, y1, x2, y2] }] of objects.entries()) {
    const box = { x1, y1, x2, y2 };
    const isEntered = x2 - x1 > 0 && y2 - y1 > 0 && x1 >= 0 && y1 >= 0;
    const refused = x1 < 0 || y1 < 0 ? { refused: "the box begins outside the picture" } : {};
    yield {
      video,
      id: String(index).padStart(2, "0"),
      split: video.startsWith("i/") ? "val" : "train",
      ...asPublished
        ? {
          boxRule: "any",
          keep: isEntered ? "track" : "nothing",
          entriesWithoutCrop: true,
          frames: [{ number: 0, image, box, entry: isEntered ? box : null }],
        }
        : { keep: "nothing", frames: [{ number: 0, image, box, ...refused }] },
    };
  }
}
