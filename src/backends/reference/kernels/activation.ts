import {
  Activation,
  ActivationBackward,
  type ActivationKind,
  type AnyActivationKind,
} from "../../../ops/activation.ts";
import type { ReferenceBackend } from "../backend.ts";

export const activationReference = Activation.kernel(
  "reference",
  (backend: ReferenceBackend, { x }, { kind }) => {
    const y = backend.empty(x.shape);
    backend.floats(y).set(backend.floats(x));
    activateInPlace(backend.floats(y), kind);
    return y;
  },
);

export const activationBackwardReference = ActivationBackward.kernel(
  "reference",
  (backend: ReferenceBackend, { dy, y }, { kind }) => {
    if (kind === "none") return backend.share(dy);
    const dx = backend.empty(dy.shape);
    gradientBehind(backend.floats(dx), backend.floats(dy), backend.floats(y), kind);
    return dx;
  },
);

/** Replaces each value by its activation; what is not a number stays so. */
export function activateInPlace(values: Float32Array, kind: AnyActivationKind): void {
  if (kind === "none") return;
  if (kind === "hard_swish") {
    for (let i = 0; i < values.length; i++) {
      values[i] *= Math.min(Math.max(values[i] + 3, 0), 6) / 6;
    }
    return;
  }
  const top = kind === "relu6" ? 6 : Infinity;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value < 0) values[i] = 0;
    else if (value > top) values[i] = top;
  }
}

/** `dx` = `dy` where the activation's output `y` is inside its linear part, else 0. */
export function gradientBehind(
  dx: Float32Array,
  dy: Float32Array,
  y: Float32Array,
  kind: ActivationKind,
): void {
  if (kind === "none") return dx.set(dy);
  const top = kind === "relu6" ? 6 : Infinity;
  for (let i = 0; i < dx.length; i++) dx[i] = y[i] > 0 && y[i] < top ? dy[i] : 0;
}
