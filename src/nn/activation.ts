import type { Tensor4D } from "@tensorflow/tfjs";
import { activate, type AnyActivationKind } from "../ops/mod.ts";
import { Layer } from "./module.ts";

/** A pointwise non-linearity: in a sequence it takes an index, but has no key. */
export abstract class ActivationLayer extends Layer {
  abstract readonly kind: AnyActivationKind;

  override forward(x: Tensor4D): Tensor4D {
    return activate(x, this.kind);
  }
}

/** max(x, 0). */
export class ReLU extends ActivationLayer {
  override readonly kind = "relu";
}

/** min(max(x, 0), 6). */
export class ReLU6 extends ActivationLayer {
  override readonly kind = "relu6";
}

/** x · min(max(x + 3, 0), 6) / 6. */
export class HardSwish extends ActivationLayer {
  override readonly kind = "hard_swish";
}
