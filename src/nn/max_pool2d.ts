import type { Tensor4D } from "@tensorflow/tfjs";
import { maxPool2d, type PoolGeometry } from "../ops/mod.ts";
import { Layer } from "./module.ts";

/** Maximum over windows (`nn.MaxPool2d`). */
export class MaxPool2d extends Layer {
  readonly geometry: PoolGeometry;

  constructor(
    { kernel, stride, padding = 0 }: Omit<PoolGeometry, "padding"> & Partial<PoolGeometry>,
  ) {
    super();
    this.geometry = { kernel, stride, padding };
  }

  override forward(x: Tensor4D): Tensor4D {
    return maxPool2d(x, this.geometry);
  }
}
