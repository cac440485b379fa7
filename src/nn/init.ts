/** Starting weights, as the published networks draw them. */
import type { Rng } from "../random.ts";
import { Conv2d } from "./conv2d.ts";
import { Linear } from "./linear.ts";
import { type Module, modules, type Sequence } from "./module.ts";
import type { Parameter } from "./parameter.ts";

/**
 * PyTorch's default for convolutions and linear layers: weights and biases uniform in ±1 / √(fan in) (He et al.,
 * arXiv:1502.01852, with a = √5). Batch norms start as scale 1 and shift 0 anyway.
 *
 * @param rng Each layer draws from a stream of its own, so one layer's size does not change the next's weights.
 */
export function initUniform(root: Module | Sequence, rng: Rng): void {
  for (const [layer, stream] of weighted(root, rng)) {
    const bound = 1 / Math.sqrt(layer.weight.tensor.size / layer.weight.shape[0]);
    const draw = () => bound * (2 * stream.uniform() - 1);
    fill(layer.weight, draw);
    if (layer.bias) fill(layer.bias, draw);
  }
}

/**
 * The start of ResNets and MobileNetV3: filters normal with deviation √(2 / fan out), fan out = kernel
 * area × filters (siamban/models/backbone/resnet_atrous.py), linear layers with deviation 0.01.
 */
export function initNormal(root: Module | Sequence, rng: Rng): void {
  for (const [layer, stream] of weighted(root, rng)) {
    const [filters, height, width] = layer.weight.shape;
    const deviation = layer instanceof Linear ? 0.01 : Math.sqrt(2 / (height * width * filters));
    fill(layer.weight, () => deviation * stream.normal());
  }
}

function* weighted(root: Module | Sequence, rng: Rng): Generator<[Conv2d | Linear, Rng]> {
  let index = 0;
  for (const module of modules(root)) {
    if (module instanceof Conv2d || module instanceof Linear) yield [module, rng.fork(index++)];
  }
}

function fill(parameter: Parameter, draw: () => number): void {
  parameter.overwrite(Float32Array.from({ length: parameter.tensor.size }, draw));
}
