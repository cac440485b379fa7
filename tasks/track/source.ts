/** What is tracked: frames, where they come from, and the box that starts it. */
import {
  benchmarkNamed,
  type Image,
  type Ltwh,
  readBenchmark,
  readFrames,
  readImage,
  readVideo,
  startBox,
  toRegion,
  videoInfo,
} from "../../mod.ts";
import { isSystemFile } from "../../src/ffi/system_file.ts";

/** A source of frames. */
export interface FrameSource {
  readonly name: string;
  readonly frames: AsyncGenerator<Image>;
  readonly framesPerSecond?: number;
  /** Where the source itself tells. */
  readonly box?: Ltwh;
}

/** What the command line says of a source. */
export interface SourceOptions {
  readonly path?: string;
  readonly benchmark?: string;
  readonly annotations?: string;
  readonly sequence?: string;
}

const CAMERA = /^\/dev\/video\d+$/;

/**
 * Opens a video file, a folder of pictures, a camera or a benchmark's sequence.
 *
 * @throws {Error} If it is not there; the message says what is.
 */
export async function openSource(options: SourceOptions): Promise<FrameSource> {
  const { path, benchmark, annotations, sequence } = options;
  if (benchmark) return await openSequence(benchmark, annotations ?? path, sequence);
  if (!path) throw new TypeError("a source is missing: a video, a folder, camera, or --benchmark");
  if (path === "camera" || CAMERA.test(path)) return await openCamera(path);
  const { isDirectory } = await Deno.stat(path).catch((cause) => {
    throw new Error(`Cannot track "${path}": there is no such file or folder`, { cause });
  });
  const rate = isDirectory ? {} : { framesPerSecond: (await videoInfo(path)).framesPerSecond };
  return { name: path, frames: readFrames(path), ...rate };
}

function openCamera(path: string): FrameSource {
  const cameras: string[] = [];
  for (let i = 0; i < 64; i++) { // as many as Video4Linux can have
    if (isSystemFile(`/dev/video${i}`)) cameras.push(`/dev/video${i}`);
  }
  const device = path === "camera" ? cameras[0] : path;
  if (!device || !cameras.includes(device)) {
    throw new Error(
      `Cannot open the camera: found ${
        cameras.join(", ") || "none"
      } in /dev, plug one in, or give a ` +
        "video or a folder of pictures",
    );
  }
  return { name: device, frames: readVideo(device, { form: "v4l2" }), framesPerSecond: 30 };
}

async function openSequence(
  name: string,
  annotations: string | undefined,
  wanted: string | undefined,
): Promise<FrameSource> {
  if (!annotations) throw new TypeError("--annotations is missing, the benchmark's folder or file");
  const benchmark = benchmarkNamed(name);
  const { sequences } = await readBenchmark(benchmark, annotations);
  const sequence = wanted ? sequences.find(({ name }) => name === wanted) : sequences[0];
  if (!sequence) {
    const names = sequences.slice(0, 8).map(({ name }) => name).join(", ");
    throw new RangeError(
      `Cannot find the sequence "${wanted}" of ${benchmark.name}, found ${names || "none"}`,
    );
  }
  if (sequence.frames.length === 0) {
    throw new RangeError(`Cannot track "${sequence.name}": its pictures are not there`);
  }
  const [first] = sequence.truth;
  return {
    name: `${benchmark.name}/${sequence.name}`,
    frames: picturesOf(sequence.frames),
    ...first ? { box: startBox(first, benchmark.protocol) } : {},
  };
}

async function* picturesOf(paths: readonly string[]): AsyncGenerator<Image> {
  for (const path of paths) yield await readImage(path);
}

/**
 * Reads a box: `x,y,w,h`, or a polygon of 8 numbers and more.
 *
 * @param text The first line counts.
 * @throws {SyntaxError} If it is neither.
 */
export function parseBox(text: string, place: string): Ltwh {
  const [line] = text.trim().split("\n");
  const numbers = line.split(/[\s,;]+/).filter((word) => word !== "").map(Number);
  const region = numbers.some(Number.isNaN) ? undefined : toRegion(numbers);
  const box = region && startBox(region, "restart");
  if (box && box.w > 0 && box.h > 0) return box;
  throw new SyntaxError(
    `Cannot read ${place}: found "${line}", expected left,top,width,height with an area`,
  );
}
