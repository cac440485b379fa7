/** Starting weights, as the published networks draw them. */
import type { Rng } from "../random.ts";
import { Conv2d } from "./conv2d.ts";
import { type Module, modules, type Sequence } from "./module.ts";
import type { Parameter } from "./parameter.ts";

/**
 * PyTorch's default for convolutions: weights and biases uniform in ±1 / √(fan in) (He et al.,
 * arXiv:1502.01852, with a = √5). Batch norms start as scale 1 and shift 0 anyway.
 *
 * @param rng Each layer draws from a stream of its own, so one layer's size does not change the next's weights.
 */
export function initUniform(root: Module | Sequence, rng: Rng): void {
  for (const [conv, stream] of convolutions(root, rng)) {
    const [, height, width, channels] = conv.weight.shape;
    const bound = 1 / Math.sqrt(height * width * channels);
    const draw = () => bound * (2 * stream.uniform() - 1);
    fill(conv.weight, draw);
    if (conv.bias) fill(conv.bias, draw);
  }
}

/**
 * The ResNets' start: weights normal with deviation √(2 / fan out), fan out = kernel area × filters
 * (siamban/models/backbone/resnet_atrous.py).
 */
export function initNormal(root: Module | Sequence, rng: Rng): void {
  for (const [conv, stream] of convolutions(root, rng)) {
    const [filters, height, width] = conv.weight.shape;
    const deviation = Math.sqrt(2 / (height * width * filters));
    fill(conv.weight, () => deviation * stream.normal());
  }
}

function* convolutions(root: Module | Sequence, rng: Rng): Generator<[Conv2d, Rng]> {
  let index = 0;
  for (const module of modules(root)) {
    if (module instanceof Conv2d) yield [module, rng.fork(index++)];
  }
}

function fill(parameter: Parameter, draw: () => number): void {
  parameter.overwrite(Float32Array.from({ length: parameter.tensor.size }, draw));
}
