/** The depthwise correlation against the bandwidth of memory, and against PyTorch's grouped convolution. */
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { type DeviceFloors, timeOnDevice, useBackend, xcorrDepthwise } from "../../mod.ts";
import { XcorrDepthwise } from "../../src/ops/mod.ts";
import type { TorchPeer } from "../bench/torch_peer.ts";
import type { Figure, Scale, Section } from "./section.ts";

/** Sizes of search and template maps of the models, and their channels. */
const SIZES = [
  { search: 29, template: 5, channels: 256 },
  { search: 20, template: 4, channels: 256 },
  { search: 31, template: 7, channels: 96 },
] as const;
const REDUCED = [{ search: 11, template: 5, channels: 16 }] as const;

/** Times forward and backward passes. */
export async function checkXcorr(
  scale: Scale,
  { peer, floors }: { readonly peer?: TorchPeer; readonly floors?: DeviceFloors },
): Promise<Omit<Section, "name">> {
  const figures: Figure[] = [];
  for (const precision of ["float32", "bf16"] as const) {
    await using backend = await useBackend(scale.device, { precision });
    const cuda = backend.cuda!;
    for (const { search, template, channels } of scale.reduced ? REDUCED : SIZES) {
      const out = search - template + 1;
      const map = (side: number) => {
        const values = tf.randomNormal<tf.Rank.R4>([scale.batch, side, side, channels]);
        const info = values.dataSync();
        values.dispose();
        const { dataId } = cuda.activation(info as Float32Array, [
          scale.batch,
          side,
          side,
          channels,
        ]);
        return tf.engine().makeTensorFromDataId(
          dataId,
          [scale.batch, side, side, channels],
          "float32",
        ) as Tensor4D;
      };
      const [x, z, dy] = [search, template, out].map(map);
      const forward = timeOnDevice(cuda, () => xcorrDepthwise(x, z).dispose(), 20);
      const backward = timeOnDevice(cuda, () => {
        const flipped = { padding: template - 1, flip: true };
        XcorrDepthwise.run({ x: dy, z }, flipped).dispose();
        XcorrDepthwise.run({ x, z: dy }, { padding: 0, flip: false }).dispose();
      }, 20);
      tf.dispose([x, z, dy]);
      const bytes = (precision === "bf16" ? 2 : 4) * scale.batch * channels;
      const once = search ** 2 + template ** 2 + out ** 2;
      const torch = await peer?.run(
        `correlate ${scale.batch} ${search} ${template} ${channels} ` +
          `${precision === "bf16" ? "bfloat16" : "float32"} 20`,
      );
      const name = `${precision}, ${search} with ${template}, ${channels} channels`;
      const passes = {
        forward: [forward, bytes * once],
        backward: [backward, 2 * bytes * once],
      } as const;
      for (const [pass, [ms, moved]] of Object.entries(passes)) {
        const rate = moved / (ms / 1000);
        const share = floors && rate / floors.copyBytesPerSecond;
        const ratio = torch && torch[pass] * 1000 / ms;
        figures.push({
          name: `${name}, ${pass}`,
          value: 1000 * ms,
          unit: "us",
          ...(share
            ? {
              against: { name: "the card's copy bandwidth", ratio: share },
              goal: { text: "at least 0.85", met: share >= 0.85 },
            }
            : {}),
        });
        if (ratio) {
          figures.push({
            name: `${name}, ${pass}`,
            value: 1000 * ms,
            unit: "us",
            against: { name: "PyTorch's grouped convolution", ratio },
            goal: { text: "3 times as fast", met: ratio >= 3 },
          });
        }
      }
    }
    cuda.trim();
  }
  return { status: "ok", detail: `${figures.length} figures`, figures };
}
