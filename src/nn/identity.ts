import type { Tensor4D } from "@tensorflow/tfjs";
import { Layer } from "./module.ts";

/** Nothing (`nn.Identity`): takes an index in a sequence where other variants have a layer. */
export class Identity extends Layer {
  override forward(x: Tensor4D): Tensor4D {
    return x;
  }
}
