import { basename, dirname, join } from "@std/path";
import type { ReadFault, Track, TrackReaderOptions } from "../track.ts";
import { readAnnotationXml, type XmlAnnotation } from "./annotation_xml.ts";
import { findFoldersWith, isThere, splitOfPath, toFault, videoName } from "./folders.ts";

const ENDINGS = ["jpg", "JPEG", "jpeg", "JPG", "png", "PNG"];
/** Folders of pictures beside the folder of annotations. */
const PICTURE_FOLDERS = ["JPEGImages", "Data", "images", "Images", "img"];

/**
 * Pictures with annotations in the XML form of Pascal VOC and ILSVRC, in any folders: the picture
 * lies beside its annotation, or in `JPEGImages`, `Data` or `images` where the annotation lies in
 * `Annotations`. Each picture is a video of one frame, each object a track; where objects have
 * track numbers, a folder is a video, its pictures in the order of their names are the frames.
 *
 * Corners are taken as they stand.
 */
export async function* readVoc(options: TrackReaderOptions): AsyncGenerator<Track | ReadFault> {
  const { root, skipFlagged = false } = options;
  for await (const { folder, files } of findFoldersWith(root, (name) => /\.xml$/i.test(name))) {
    for (const [index, file] of files.entries()) {
      const path = join(folder, file);
      try {
        const annotation = await readAnnotationXml(path);
        const image = { kind: "file", path: await pictureOf(path, annotation) } as const;
        yield* tracksOf(annotation, { image, path, root, index, skipFlagged });
      } catch (error) {
        yield toFault(path, error);
      }
    }
  }
}

function* tracksOf(
  { objects }: XmlAnnotation,
  { image, path, root, index, skipFlagged }: {
    readonly image: { readonly kind: "file"; readonly path: string };
    readonly path: string;
    readonly root: string;
    readonly index: number;
    readonly skipFlagged: boolean;
  },
): Generator<Track> {
  const folder = videoName(root, dirname(path));
  const isVideo = objects.some(({ trackId }) => trackId !== undefined);
  const video = isVideo ? folder : `${folder}/${basename(path).replace(/\.xml$/i, "")}`;
  for (const [place, { trackId = place, corners, difficult, occluded }] of objects.entries()) {
    const [x1, y1, x2, y2] = corners;
    const flag = difficult ? "the object is difficult" : "the target is occluded";
    const refused = skipFlagged && (difficult || occluded) ? { refused: flag } : {};
    const number = isVideo ? index : 0;
    yield {
      video,
      id: String(trackId).padStart(2, "0"),
      split: splitOfPath(video),
      keep: "nothing",
      frames: [{ number, image, box: { x1, y1, x2, y2 }, ...refused }],
    };
  }
}

/** The picture of an annotation; where none is found, the name that it should have. */
async function pictureOf(xml: string, { filename }: XmlAnnotation): Promise<string> {
  const stem = basename(xml).replace(/\.xml$/i, "");
  const folder = dirname(xml);
  const folders = [
    folder,
    ...PICTURE_FOLDERS.map((name) =>
      folder.replace(/(^|\/)Annotations(?=\/|$)(?!.*\/Annotations(\/|$))/, `$1${name}`)
    ),
  ].filter((path, i) => i === 0 || path !== folder);
  // The annotation may name the picture, with or without its ending; folders in it do not count.
  const given = basename(filename);
  const names = [
    ...ENDINGS.map((ending) => `${stem}.${ending}`),
    ...(given === "" || given === ".." ? [] : [given]),
  ];
  for (const path of folders) {
    for (const name of names) if (await isThere(join(path, name))) return join(path, name);
  }
  return join(folders.at(1) ?? folder, `${stem}.jpg`);
}
