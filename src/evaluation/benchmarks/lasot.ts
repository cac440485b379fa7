import { join } from "@std/path";
import type { Sequence } from "../sequence.ts";
import { LASOT_SEQUENCES } from "./lasot_sequences.ts";
import {
  enter,
  framesFor,
  ifFound,
  pictureSize,
  publishedLengths,
  readAttributes,
  readNames,
  readOptionalLabels,
  readTruth,
  type SequenceEntry,
} from "./sequence_files.ts";

/**
 * In the order of the flags: illumination variation, partial occlusion, deformation, motion blur,
 * camera motion, rotation, background clutter, viewpoint change, scale variation, full occlusion,
 * fast motion, out of view, low resolution, aspect ratio change.
 */
const ATTRIBUTES = "IV POC DEF MB CM ROT BC VC SV FOC FM OV LR ARC".split(" ");

/**
 * Reads the test set of LaSOT: `<class>/<sequence>` or `<sequence>`, each with `groundtruth.txt`,
 * `full_occlusion.txt`, `out_of_view.txt` and its pictures in `img`, flags in `att/<sequence>.txt`; or
 * the truth alone as LaSOT's evaluation toolkit has it, the toolkit's folder or its `annos`:
 * `<sequence>.txt`, `absent/<sequence>.txt` and `att/<sequence>.txt`.
 * A `testing_set.txt`, where both have it, says which sequences.
 */
export async function* readLasot(root: string): AsyncGenerator<SequenceEntry> {
  const names = await ifFound(readNames(join(root, "testing_set.txt"))) ??
    await ifFound(readNames(join(root, "sequence_evaluation_config", "testing_set.txt"))) ??
    LASOT_SEQUENCES;
  for (const name of names) yield await enter(name, () => readVideo(root, name));
}

async function readVideo(root: string, name: string): Promise<Sequence> {
  const grouped = join(root, name.slice(0, name.lastIndexOf("-")), name);
  const found = await ifFound(readFolder(root, grouped, name)) ??
    await ifFound(readFolder(root, join(root, name), name)) ??
    await ifFound(readTruthAlone(join(root, "annos"), name)) ??
    await ifFound(readTruthAlone(root, name));
  if (found) return found;
  throw new Deno.errors.NotFound(
    `neither "${name}/groundtruth.txt", by class or not, nor "annos/${name}.txt" is in "${root}"`,
  );
}

async function readFolder(root: string, folder: string, name: string): Promise<Sequence> {
  const truth = await readTruth(join(folder, "groundtruth.txt"));
  const frames = await framesFor(join(folder, "img"), truth.length);
  const hidden = await readOptionalLabels(join(folder, "full_occlusion.txt"));
  const outside = await readOptionalLabels(join(folder, "out_of_view.txt"));
  return {
    name,
    frames,
    truth,
    attributes: await readAttributes(join(root, "att", `${name}.txt`), ATTRIBUTES),
    size: await pictureSize(frames[0]),
    visible: hidden && outside && truth.map((_, i) => !hidden[i] && !outside[i]),
    ...publishedLengths(name),
  };
}

async function readTruthAlone(annos: string, name: string): Promise<Sequence> {
  const truth = await readTruth(join(annos, `${name}.txt`));
  const absent = await readOptionalLabels(join(annos, "absent", `${name}.txt`));
  return {
    name,
    frames: [],
    truth,
    attributes: await readAttributes(join(annos, "att", `${name}.txt`), ATTRIBUTES),
    visible: absent && truth.map((_, i) => !absent[i]),
    ...publishedLengths(name),
  };
}
