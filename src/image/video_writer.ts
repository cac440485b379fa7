import type { Image } from "./image.ts";
import { spawnFfmpeg } from "./video.ts";

/** A video file that is being written. */
export interface VideoWriter extends AsyncDisposable {
  /** @throws {RangeError} If the size differs from the first frame's. */
  write(frame: Image): Promise<void>;
  /**
   * Ends the file; disposing without it leaves the file as far as it got.
   *
   * @throws {Error} If ffmpeg says that it failed.
   */
  close(): Promise<void>;
}

/**
 * Encodes frames into a video file through an ffmpeg process; the ending of the name chooses the form.
 * Odd sizes are padded to even ones, which players need.
 *
 * @throws {Error} If ffmpeg is not installed.
 */
export function openVideoWriter(
  path: string,
  { width, height, framesPerSecond }: {
    readonly width: number;
    readonly height: number;
    readonly framesPerSecond: number;
  },
): VideoWriter {
  const input =
    `-v error -y -f rawvideo -pix_fmt bgr24 -s ${width}x${height} -r ${framesPerSecond}` +
    " -i pipe:0";
  const output = "-vf pad=ceil(iw/2)*2:ceil(ih/2)*2 -pix_fmt yuv420p -movflags +faststart";
  const form = /\.(mp4|mov|m4v)$/i.test(path) ? output : output.replace(/ -movflags \S+$/, "");
  const { child, messages } = spawnFfmpeg([...input.split(" "), ...form.split(" "), path], path);
  const writer = child.stdin.getWriter();
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await writer.close().catch(() => {}); // its messages tell more than a broken pipe
    const { success } = await child.status;
    const text = await messages;
    if (!success) throw new Error(`Cannot write the video "${path}": ${text}`);
  };
  return {
    async write(frame) {
      if (frame.width !== width || frame.height !== height) {
        throw new RangeError(
          `Cannot write a frame of ${frame.width} x ${frame.height} to "${path}": expected ` +
            `${width} x ${height} as the first`,
        );
      }
      try {
        await writer.write(frame.data);
      } catch {
        await close();
        throw new Error(`Cannot write the video "${path}": ffmpeg ended early`);
      }
    },
    close,
    [Symbol.asyncDispose]: () => close().catch(() => {}),
  };
}
