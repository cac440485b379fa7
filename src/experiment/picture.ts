import { join } from "@std/path";
import type { FrameReader } from "../data/frame_reader.ts";
import { iou, ltwhToCorner } from "../geometry/boxes.ts";
import { type BoxMark, contactSheet, drawBoxes, drawText } from "../image/draw.ts";
import { encodeGif, encodePng } from "../image/encode.ts";
import type { Color, Image } from "../image/image.ts";
import type { TrackedSequence } from "./held_out.ts";

const TRUE_COLOR: Color = [80, 220, 60];
const PREDICTED_COLOR: Color = [40, 40, 240];
const STRIP_FRAMES = 8;
const STRIP_COLUMNS = 4;

/** Files that show a tracked sequence. */
export interface TrackPictures {
  /** Every frame, moving. */
  readonly gif: string;
  /** Some frames side by side. */
  readonly png: string;
}

/**
 * Draws a tracked sequence for a person to look at: the true box green, the predicted one red.
 *
 * @param folder Made where it does not exist.
 */
export async function drawTrackedSequence(
  sequence: TrackedSequence,
  { folder, reader }: { readonly folder: string; readonly reader: FrameReader },
): Promise<TrackPictures> {
  const frames: Image[] = [];
  for (const [i, { image }] of sequence.track.frames.entries()) {
    frames.push(drawFrame(await reader.read(image), sequence, i));
  }
  const last = frames.length - 1;
  const count = Math.min(STRIP_FRAMES, frames.length);
  const shown = Array.from(
    { length: count },
    (_, i) => frames[count > 1 ? Math.round(i * last / (count - 1)) : 0],
  );
  await Deno.mkdir(folder, { recursive: true });
  const [gif, png] = [join(folder, "tracked.gif"), join(folder, "tracked.png")];
  await Deno.writeFile(gif, await encodeGif(frames));
  await Deno.writeFile(png, await encodePng(contactSheet(shown, { columns: STRIP_COLUMNS })));
  return { gif, png };
}

function drawFrame(frame: Image, { predicted, truth }: TrackedSequence, i: number): Image {
  const found = ltwhToCorner(predicted[i]);
  const target = truth[i] && ltwhToCorner(truth[i]);
  const marks: BoxMark[] = [
    ...(target ? [{ box: target, color: TRUE_COLOR, label: "true" }] : []),
    { box: found, color: PREDICTED_COLOR },
  ];
  const overlap = target ? `  overlap ${iou(found, target).toFixed(2)}` : "";
  return drawText(drawBoxes(frame, marks), `frame ${i}${overlap}`);
}
