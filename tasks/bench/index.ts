import { runInOwnProcess } from "./own_process.ts";

/** How a process opened an annotation file; see open_index.ts. */
export interface Opening {
  readonly origin: string;
  readonly seconds: number;
  readonly boxes: number;
  readonly videos: number;
  /** Resident bytes. */
  readonly before: number;
  readonly after: number;
  readonly peak: number;
}

/** Boxes of a video of the made-up set, in two tracks. */
const BOXES_A_VIDEO = 100;

/**
 * Writes annotations of made-up videos as preparation writes them.
 *
 * @returns Bytes of the file.
 */
export async function writeMadeUpSet(path: string, boxes: number): Promise<number> {
  using file = await Deno.open(path, { create: true, write: true, truncate: true });
  const encoder = new TextEncoder();
  const videos = Math.ceil(boxes / BOXES_A_VIDEO);
  let text = "{\n";
  for (let video = 0; video < videos; video++) {
    const tracks = ["00", "01"].map((name, track) =>
      `        "${name}": ${trackText(video, track)}`
    );
    const name = `made_up/video_${String(video).padStart(8, "0")}`;
    text += `    "${name}": {\n${tracks.join(",\n")}\n    }${video === videos - 1 ? "\n}" : ",\n"}`;
    if (text.length < 1 << 22 && video < videos - 1) continue;
    for (let bytes = encoder.encode(text); bytes.length > 0;) {
      bytes = bytes.subarray(await file.write(bytes));
    }
    text = "";
  }
  return (await file.stat()).size;
}

function trackText(video: number, track: number): string {
  const frames = Array.from({ length: BOXES_A_VIDEO / 2 }, (_, i) => {
    const x = (video * 37 + i * 11) % 900 + track / 10, y = (video * 13 + i * 7) % 500 + 0.25;
    const numbers = [x, y, x + 40.3, y + 30 + i % 9].map((n) => `${" ".repeat(16)}${n}`);
    const frame = String(i * 3).padStart(6, "0");
    return `            "${frame}": [\n${numbers.join(",\n")}\n            ]`;
  });
  return `{\n${frames.join(",\n")}\n        }`;
}

/** Opens an annotation file in a fresh process. */
export function openInProcess(path: string): Promise<Opening> {
  return runInOwnProcess("./open_index.ts", [path]);
}
