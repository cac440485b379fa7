import { join } from "@std/path";
import type { Sequence } from "../sequence.ts";
import {
  enter,
  framesFor,
  pictureSize,
  readAttributes,
  readTruth,
  type SequenceEntry,
} from "./sequence_files.ts";
import { UAV123_PARTS, UAV_SEQUENCES } from "./uav123_sequences.ts";

/**
 * In the order of the flags: scale variation, aspect ratio change, low resolution, fast motion, full
 * and partial occlusion, out of view, background clutter, illumination variation, viewpoint change,
 * camera motion, similar object.
 */
const ATTRIBUTES = "SV ARC LR FM FOC POC OV BC IV VC CM SOB".split(" ");

/**
 * Reads UAV123 or UAV20L: truth in `anno/UAV123/<sequence>.txt`, flags in `anno/UAV123/att`, pictures
 * in `data_seq/UAV123/<video>`; some videos are cut into several sequences.
 */
export function readUav123(edition: keyof typeof UAV_SEQUENCES) {
  return async function* (root: string): AsyncGenerator<SequenceEntry> {
    for (const name of UAV_SEQUENCES[edition]) {
      yield await enter(name, () => readVideo(root, edition, name));
    }
  };
}

async function readVideo(root: string, edition: string, name: string): Promise<Sequence> {
  const annotations = join(root, "anno", edition);
  const truth = await readTruth(join(annotations, `${name}.txt`));
  const [, video, part] = /^(.*?)(?:_(\d+))?$/.exec(name)!;
  const start = part === undefined ? 1 : UAV123_PARTS[video][Number(part) - 1][0];
  const frames = await framesFor(join(root, "data_seq", "UAV123", video), truth.length, { start });
  return {
    name,
    frames,
    truth,
    attributes: await readAttributes(join(annotations, "att", `${name}.txt`), ATTRIBUTES),
    size: await pictureSize(frames[0]),
  };
}
