import { HardSwish, HardSwishBackward } from "../../../ops/hard_swish.ts";
import type { ReferenceBackend } from "../backend.ts";
import { activateInPlace } from "./activation.ts";

export const hardSwishReference = HardSwish.kernel(
  "reference",
  (backend: ReferenceBackend, { x }) => {
    const y = backend.empty(x.shape);
    backend.floats(y).set(backend.floats(x));
    activateInPlace(backend.floats(y), "hard_swish");
    return y;
  },
);

export const hardSwishBackwardReference = HardSwishBackward.kernel(
  "reference",
  (backend: ReferenceBackend, { dy, x }) => {
    const dx = backend.empty(x.shape);
    const [to, from, at] = [dx, dy, x].map((info) => backend.floats(info));
    for (let i = 0; i < to.length; i++) {
      const slope = at[i] < -3 ? 0 : at[i] <= 3 ? at[i] / 3 + 0.5 : 1;
      to[i] = from[i] * slope;
    }
    return dx;
  },
);
