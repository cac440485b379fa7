import { SgdUpdate } from "../../../ops/sgd_update.ts";
import type { ReferenceBackend } from "../backend.ts";

export const sgdUpdateReference = SgdUpdate.kernel(
  "reference",
  (backend: ReferenceBackend, inputs, { count, learningRates, ...options }) => {
    const loss = backend.floats(inputs.loss)[0];
    const tensors = (kind: string) =>
      Array.from({ length: count }, (_, i) => inputs[`${kind}${i}`]!);
    const gradients = tensors("grad").map((gradient) => backend.floats(gradient));
    const norm = totalNorm(gradients);
    const { clipNorm, maxLoss, momentum, weightDecay } = options;
    const clip = clipNorm > 0 ? Math.min(1, clipNorm / (norm + 1e-6)) : 1;
    const applied = Number.isFinite(loss) && Number.isFinite(norm) && loss <= maxLoss;
    if (applied) {
      const parameters = tensors("param"), velocities = tensors("velocity");
      gradients.forEach((gradient, i) => {
        step(backend.floats(parameters[i]), gradient, backend.floats(velocities[i]), {
          clip,
          momentum,
          weightDecay,
          learningRate: learningRates[i],
        });
        backend.touch(parameters[i]);
        backend.touch(velocities[i]);
      });
    }
    const report = backend.empty([3]);
    backend.floats(report).set([norm, clip, applied ? 1 : 0]);
    return report;
  },
);

function totalNorm(gradients: readonly Float32Array[]): number {
  let sum = 0;
  for (const gradient of gradients) {
    for (let i = 0; i < gradient.length; i++) sum += gradient[i] * gradient[i];
  }
  return Math.sqrt(sum);
}

function step(
  parameter: Float32Array,
  gradient: Float32Array,
  velocity: Float32Array,
  { clip, momentum, weightDecay, learningRate }: {
    readonly clip: number;
    readonly momentum: number;
    readonly weightDecay: number;
    readonly learningRate: number;
  },
): void {
  for (let i = 0; i < parameter.length; i++) {
    const d = clip * gradient[i] + weightDecay * parameter[i];
    const v = momentum * velocity[i] + d;
    velocity[i] = v;
    parameter[i] -= learningRate * v;
  }
}
