import type { Tensor4D } from "@tensorflow/tfjs";
import { ActivationLayer } from "./activation.ts";
import { BatchNorm2d, type NormTail } from "./batch_norm2d.ts";
import { Conv2d } from "./conv2d.ts";
import { convBlock } from "./conv_block.ts";
import { Identity } from "./identity.ts";
import { Layer } from "./module.ts";

/**
 * Runs layers one after the other (`nn.Sequential`). A convolution takes a batch norm and an activation
 * behind it along, and each intermediate map is freed as soon as the next one is there.
 *
 * @param x `[B, H, W, C]`.
 * @param tail What the last convolution's norm also does, e.g. adding a residual.
 */
export function sequential(
  x: Tensor4D,
  layers: readonly Layer[],
  tail: Pick<NormTail, "residual"> = {},
): Tensor4D {
  layers = layers.filter((layer) => !(layer instanceof Identity));
  let y = x;
  for (let i = 0; i < layers.length;) {
    const layer = layers[i];
    const norm = layer instanceof Conv2d ? layerAt(layers, i + 1, BatchNorm2d) : undefined;
    const activation = layer instanceof Conv2d
      ? layerAt(layers, i + (norm ? 2 : 1), ActivationLayer)
      : undefined;
    i += 1 + (norm ? 1 : 0) + (activation ? 1 : 0);
    const next = layer instanceof Conv2d
      ? convBlock(y, layer, {
        norm,
        activation: activation?.kind,
        ...(i === layers.length ? tail : {}),
      })
      : layer.forward(y);
    if (y !== x && y !== next) y.dispose();
    y = next;
  }
  return y;
}

/** Layers with an index for a name, as one layer: for a sequence that is an entry of another. */
export class Sequential extends Layer {
  readonly [index: number]: Layer;
  readonly #layers: readonly Layer[];

  constructor(layers: readonly Layer[]) {
    super();
    this.#layers = layers;
    Object.assign(this, layers);
  }

  override forward(x: Tensor4D): Tensor4D {
    return sequential(x, this.#layers);
  }
}

function layerAt<T extends Layer>(
  layers: readonly Layer[],
  index: number,
  // deno-lint-ignore no-explicit-any
  type: abstract new (...args: any[]) => T,
): T | undefined {
  const layer = layers[index];
  return layer instanceof type ? layer : undefined;
}
