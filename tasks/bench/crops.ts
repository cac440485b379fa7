import { cpuUsage } from "node:process";
import { encodeJpeg, prepare, SyntheticVideo, TRACK_READERS } from "../../mod.ts";

const VIDEO = { seed: 1, width: 480, height: 360 };

/** Processor milliseconds a frame. */
export interface CropTimes {
  /** From reading the frame to the search crop on the disk, with its hash and the books. */
  readonly ours: number;
  /** The same work as the published scripts, which write two crops; undefined without OpenCV. */
  readonly peer?: number;
}

/** Writes a video of 480 x 360 pixels in the form of GOT-10k; the folder of its frames. */
export async function drawFrames(root: string, frames: number): Promise<void> {
  const folder = `${root}/GOT-10k_Train_000001`;
  await Deno.mkdir(folder, { recursive: true });
  const video = new SyntheticVideo({ ...VIDEO, frames });
  let boxes = "";
  for (let index = 0; index < frames; index++) {
    const name = String(index + 1).padStart(8, "0");
    await Deno.writeFile(`${folder}/${name}.jpg`, await encodeJpeg(video.frame(index)));
    const { x1, y1, x2, y2 } = video.box(index);
    boxes += `${x1},${y1},${x2 - x1},${y2 - y1}\n`;
  }
  await Deno.writeTextFile(`${folder}/groundtruth.txt`, boxes);
}

/** Prepares the frames on this thread, and has OpenCV do so. */
export async function timeCrops(root: string): Promise<CropTimes> {
  const out = await Deno.makeTempDir();
  try {
    const tracks = () => TRACK_READERS.got10k({ root });
    let start = cpuUsage(), crops = 0;
    for await (const { kind, counts } of prepare({ tracks, out, workers: 0 })) {
      if (kind === "reading") start = cpuUsage();
      crops = counts.written;
    }
    const { user, system } = cpuUsage(start);
    return { ours: (user + system) / 1000 / crops, peer: await timePeer(root) };
  } finally {
    await Deno.remove(out, { recursive: true });
  }
}

async function timePeer(root: string): Promise<number | undefined> {
  const script = new URL("./crops_peer.py", import.meta.url).pathname;
  for (const python of [Deno.env.get("PYTHON") ?? "python3", "/usr/bin/python3"]) {
    try {
      const command = new Deno.Command(python, { args: [script, root], stderr: "null" });
      const { success, stdout } = await command.output();
      if (success) return JSON.parse(new TextDecoder().decode(stdout)).cpuMilliseconds;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}
