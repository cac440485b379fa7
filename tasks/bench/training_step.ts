import * as tf from "@tensorflow/tfjs";
import {
  type BatchTensors,
  buildModel,
  type ExperimentConfig,
  freezeBackbone,
  gradients,
  type HostTensor,
  hostTensor,
  OrderedDict,
  parameterGroups,
  parseExperiment,
  Rng,
  Sgd,
  type SiamBAN,
  stateDict,
  writeTorchFile,
  xcorrDepthwise,
} from "../../mod.ts";
import { R50, type Subject } from "./networks.ts";

/** What trains: neck and head, or parts of the backbone as well. */
export type Regime = "frozen" | "trained";

/** Seconds of a training step, by part. */
export interface StepTimes {
  readonly forward: number;
  readonly backward: number;
  readonly update: number;
  readonly total: number;
  /** The loss before the update. */
  readonly loss: number;
}

/** SiamBAN with a batch of noise, ready to step. */
export class StepBench implements Disposable {
  /** Parts of the backbone that train. */
  readonly trained: readonly string[];
  readonly #model: SiamBAN;
  readonly #batch: BatchTensors;
  readonly #sgd: Sgd;

  constructor(regime: Regime, batchSize: number, subject = R50) {
    const config: ExperimentConfig = parseExperiment(subject.experiment);
    this.#model = buildModel(config, new Rng(1));
    this.trained = regime === "trained" ? subject.trainLayers : [];
    freezeBackbone(this.#model, this.trained);
    const groups = parameterGroups(this.#model).map((group) => ({ ...group, initialLr: 0.001 }));
    this.#sgd = new Sgd(groups, { momentum: 0.9, weightDecay: 1e-4, clipNorm: 10, maxLoss: 1e4 });
    this.#batch = makeBatch(batchSize, subject);
  }

  step(): StepTimes {
    const start = performance.now();
    const parameters = this.#sgd.parameters.map(({ parameter }) => parameter);
    let forwardEnd = start;
    const { losses, gradients: found } = gradients(parameters, () => {
      const terms = this.#model.losses(this.#batch);
      forwardEnd = performance.now();
      return terms;
    });
    const backwardEnd = performance.now();
    const learningRates = this.#sgd.groups.map(() => 0.001);
    const update = this.#sgd.step(found, { learningRates, loss: losses.total });
    update.dataSync();
    const [loss] = losses.total.dataSync();
    tf.dispose([...found.values(), ...Object.values(losses), update]);
    const end = performance.now();
    return {
      forward: (forwardEnd - start) / 1000,
      backward: (backwardEnd - forwardEnd) / 1000,
      update: (end - backwardEnd) / 1000,
      total: (end - start) / 1000,
      loss,
    };
  }

  /** Writes weights and batch for `torch_peer.py`. */
  async write(path: string): Promise<void> {
    const { template, search, labelCls, labelLoc } = this.#batch;
    const host = (tensor: tf.Tensor): HostTensor =>
      hostTensor("float32", tensor.shape, Float32Array.from(tensor.dataSync()));
    await writeTorchFile(path, {
      state: new OrderedDict(stateDict(this.#model)),
      template: host(template),
      search: host(search),
      labels: host(labelCls),
      target: host(labelLoc),
    });
  }

  [Symbol.dispose](): void {
    this.#sgd[Symbol.dispose]();
    this.#model[Symbol.dispose]();
    tf.dispose(Object.values(this.#batch));
  }
}

/** The batch of `torch_peer.py`: noise, 16 positive and 48 negative points an image. */
function makeBatch(size: number, { searchSize, scoreSize }: Subject): BatchTensors {
  const labels = new Int32Array(size * scoreSize * scoreSize).fill(-1);
  for (let b = 0; b < size; b++) {
    for (let y = 0; y < scoreSize; y++) {
      for (let x = 0; x < scoreSize; x++) {
        const positive = y >= 10 && y < 14 && x >= 10 && x < 14;
        if (positive) labels[(b * scoreSize + y) * scoreSize + x] = 1;
        else if (y < 2 && x < Math.min(24, scoreSize)) {
          labels[(b * scoreSize + y) * scoreSize + x] = 0;
        }
      }
    }
  }
  return {
    template: tf.randomUniform([size, 127, 127, 3], 0, 255, "float32", 1),
    search: tf.randomUniform([size, searchSize, searchSize, 3], 0, 255, "float32", 2),
    labelCls: tf.tensor3d(labels, [size, scoreSize, scoreSize], "int32"),
    labelLoc: tf.fill([size, scoreSize, scoreSize, 4], 40),
  };
}

/**
 * Times the depthwise correlation at the size of SiamBAN's head, forward and both gradients.
 *
 * @returns Seconds of one forward and backward pass.
 */
export function timeXcorr(batchSize: number, repeat: number): number {
  return tf.tidy(() => {
    const x = tf.randomUniform<tf.Rank.R4>([batchSize, 29, 29, 256]);
    const z = tf.randomUniform<tf.Rank.R4>([batchSize, 5, 5, 256]);
    const dy = tf.randomUniform<tf.Rank.R4>([batchSize, 25, 25, 256]);
    const backward = tf.grads((x, z) => xcorrDepthwise(x as tf.Tensor4D, z as tf.Tensor4D));
    const start = performance.now();
    for (let i = 0; i < repeat; i++) tf.dispose(backward([x, z], dy));
    return (performance.now() - start) / 1000 / repeat;
  });
}
