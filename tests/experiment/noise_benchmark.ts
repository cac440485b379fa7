/** A benchmark to track in tests: sequences of noise, one of them damaged, and a tiny tracker. */
import { join } from "@std/path";
import { encodeJpeg } from "../../src/image/encode.ts";
import { buildModel } from "../../src/models/mod.ts";
import { stateDict } from "../../src/nn/mod.ts";
import { Rng } from "../../src/random.ts";
import { writeSafetensors } from "../../src/weights/safetensors.ts";
import { tinyExperiment } from "../training/tiny.ts";

const BOX = [20, 15, 24, 20];
/** Of each sequence. */
export const FRAMES = 8;
const NAMES = ["a", "b", "broken", "c"];

/** A benchmark of small noisy pictures in one pass, a tracker's files, and a folder for results. */
export async function withFiles(
  benchmark: string,
  use: (
    files: { root: string; annotations: string; config: string; weights: string },
  ) => Promise<void>,
  frames: number = FRAMES,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    const rng = new Rng(11);
    const annotations: Record<string, unknown> = {};
    for (const name of NAMES) {
      await Deno.mkdir(join(root, name));
      const img_names = Array.from({ length: frames }, (_, i) => `${name}/${i}.jpg`);
      for (const file of img_names) {
        const data = Uint8Array.from({ length: 96 * 72 * 3 }, () => rng.integer(256));
        await Deno.writeFile(join(root, file), await encodeJpeg({ width: 96, height: 72, data }));
      }
      annotations[name] = { img_names, gt_rect: Array(frames).fill(BOX), width: 96, height: 72 };
    }
    await Deno.writeTextFile(join(root, `broken/${Math.min(3, frames - 1)}.jpg`), "no picture");
    await Deno.writeTextFile(join(root, `${benchmark}.json`), JSON.stringify(annotations));
    const experiment = tinyExperiment();
    const config = join(root, "tiny.json");
    await Deno.writeTextFile(config, JSON.stringify(experiment));
    using model = buildModel(experiment, new Rng(1));
    const weights = join(root, "checkpoint_e3.safetensors");
    await writeSafetensors(weights, stateDict(model));
    await use({ root, annotations: join(root, `${benchmark}.json`), config, weights });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
