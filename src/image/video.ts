import type { Image } from "./image.ts";

/** What ffprobe says about a video. */
export interface VideoInfo {
  /** Pixels of a frame as it is shown, that is, turned upright. */
  readonly width: number;
  readonly height: number;
  readonly framesPerSecond: number;
  /** Number of frames; absent where the file does not say it. */
  readonly frames?: number;
}

/**
 * Asks ffprobe for the size and rate of a video.
 *
 * @throws {Error} If ffprobe is not installed, or the file holds no video.
 */
export async function videoInfo(path: string): Promise<VideoInfo> {
  return (await probe(path)).info;
}

/** How a video is opened. */
export interface VideoOptions {
  /** Name of ffmpeg's input format where the path does not tell, such as `v4l2` for a camera's device. */
  readonly form?: string;
}

/**
 * Decodes a video's frames in order, through an ffmpeg process. With the same ffmpeg libraries the
 * pixels equal those of `cv2.VideoCapture`. Leaving the loop early ends the process.
 *
 * @throws {Error} If ffmpeg is not installed, or cannot read the file.
 */
export async function* readVideo(
  path: string,
  { form }: VideoOptions = {},
): AsyncGenerator<Image> {
  const { info: { width, height }, version } = await probe(path, form);
  // Option names: -fps_mode since 5.1, which made -vsync obsolete.
  const everyFrame = version < 5.1 ? "-vsync" : "-fps_mode";
  const args = ["-v", "error", "-nostdin", ...formArgs(form), "-i"];
  const output = `${everyFrame} passthrough -f rawvideo -pix_fmt bgr24 pipe:1`.split(" ");
  const child = spawn("ffmpeg", [...args, path, ...output], path);
  const messages = lastText(child.stderr);
  const reader = child.stdout.getReader({ mode: "byob" });
  try {
    for (;;) {
      const data = await readExactly(reader, 3 * width * height);
      if (data === undefined) break;
      yield { width, height, data };
    }
  } finally {
    await reader.cancel(); // if frames are left, ffmpeg fails to write them, and ends
    await child.status;
    await messages;
  }
  const { success } = await child.status;
  if (!success) throw new Error(`Cannot decode "${path}": ${await messages}`);
}

interface Probe {
  readonly info: VideoInfo;
  /** Of the ffmpeg programs, such as 5.1; infinite for an unnumbered build. */
  readonly version: number;
}

function formArgs(form?: string): string[] {
  return form === undefined ? [] : ["-f", form];
}

async function probe(path: string, form?: string): Promise<Probe> {
  const entries = "program_version=version:stream=width,height,r_frame_rate,nb_frames" +
    ":stream_tags=rotate:stream_side_data=rotation";
  const args = `-v error -select_streams v:0 -show_entries ${entries} -of json`.split(" ");
  const child = spawn("ffprobe", [...args, ...formArgs(form), path], path);
  const [text, messages, { success }] = await Promise.all([
    new Response(child.stdout).text(),
    lastText(child.stderr),
    child.status,
  ]);
  if (!success) throw new Error(`Cannot read the video "${path}": ${messages}`);
  const { program_version: { version }, streams: [stream] } = JSON.parse(text) as ProbeOutput;
  if (stream === undefined) throw new Error(`Cannot read "${path}": it holds no video stream`);
  return { info: toInfo(stream), version: Number(/\d+\.\d+/.exec(version)?.[0] ?? Infinity) };
}

interface ProbeOutput {
  readonly program_version: { readonly version: string };
  readonly streams: readonly ProbeStream[];
}

interface ProbeStream {
  readonly width: number;
  readonly height: number;
  /** A fraction, such as "30000/1001". */
  readonly r_frame_rate: string;
  readonly nb_frames?: string;
  readonly tags?: { readonly rotate?: string };
  readonly side_data_list?: readonly { readonly rotation?: number }[];
}

function toInfo({ width, height, r_frame_rate, nb_frames, ...stream }: ProbeStream): VideoInfo {
  const [numerator, denominator] = r_frame_rate.split("/").map(Number);
  const sideData = stream.side_data_list?.find(({ rotation }) => rotation !== undefined);
  const rotation = sideData?.rotation ?? Number(stream.tags?.rotate ?? 0);
  const lying = Math.abs(rotation) % 180 === 90; // ffmpeg turns the frames upright
  return {
    width: lying ? height : width,
    height: lying ? width : height,
    framesPerSecond: numerator / denominator,
    frames: nb_frames === undefined ? undefined : Number(nb_frames),
  };
}

function spawn(program: "ffmpeg" | "ffprobe", args: string[], path: string) {
  try {
    return new Deno.Command(program, { args, stdin: "null", stdout: "piped", stderr: "piped" })
      .spawn();
  } catch (cause) {
    if (!isAbsent(cause)) throw cause;
    throw new Error(
      `Cannot read the video "${path}": ${program} is not installed, install it with ` +
        `"apt install ffmpeg", or give a folder of pictures`,
      { cause },
    );
  }
}

/** An ffmpeg that is fed through its standard input, with the end of what it says. */
export function spawnFfmpeg(args: readonly string[], path: string) {
  try {
    const child = new Deno.Command("ffmpeg", {
      args: [...args],
      stdin: "piped",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    return { child, messages: lastText(child.stderr) };
  } catch (cause) {
    if (!isAbsent(cause)) throw cause;
    throw new Error(
      `Cannot write the video "${path}": ffmpeg is not installed, install it with "apt install ffmpeg"`,
      { cause },
    );
  }
}

/** Drains a stream, lest its writer block, and keeps the end of its text. */
async function lastText(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream.pipeThrough(new TextDecoderStream() as DecoderStream)) {
    text = (text + chunk).slice(-2000);
  }
  return text.trim();
}

/** The library's types disagree about the chunks' buffers. */
type DecoderStream = ReadableWritablePair<string, Uint8Array>;

/** Reads that many bytes; undefined at the end of the stream, also if it ends within a frame. */
async function readExactly(
  reader: ReadableStreamBYOBReader,
  length: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  let buffer = new ArrayBuffer(length);
  for (let filled = 0; filled < length;) {
    const { value, done } = await reader.read(new Uint8Array(buffer, filled));
    if (done || value === undefined) return undefined;
    filled += value.length;
    buffer = value.buffer; // the old one was transferred
  }
  return new Uint8Array(buffer);
}

/** What is not installed cannot be allowed either: Deno then says that it may not run. */
function isAbsent(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable;
}
