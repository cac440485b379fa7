import * as tf from "@tensorflow/tfjs";
import {
  buildModel,
  type ExperimentConfig,
  freezeBackbone,
  type HostBatch,
  hostTensor,
  OrderedDict,
  parameterGroups,
  parseExperiment,
  Rng,
  Sgd,
  type SiamBAN,
  stateDict,
  StepRunner,
  writeTorchFile,
  xcorrDepthwise,
} from "../../mod.ts";
import { R50, type Subject } from "./networks.ts";

/** What trains: neck and head, or parts of the backbone as well. */
export type Regime = "frozen" | "trained";

/** A step that was taken. */
export interface TimedStep {
  readonly seconds: number;
  /** The loss before the update. */
  readonly loss: number;
}

/** Steps until one is recorded, and that one. */
const FIRST_STEPS = 4;

/** SiamBAN with a batch of noise, ready to step as a training does. */
export class StepBench implements Disposable {
  /** Parts of the backbone that train. */
  readonly trained: readonly string[];
  readonly #model: SiamBAN;
  readonly #subject: Subject;
  readonly #batch: HostBatch;
  readonly #sgd: Sgd;
  readonly #runner: StepRunner;

  /** @param options.record Whether steps are recorded where the backend can, as they are in training. */
  constructor(
    regime: Regime,
    batchSize: number,
    subject = R50,
    { record = true }: { readonly record?: boolean } = {},
  ) {
    const config: ExperimentConfig = parseExperiment(subject.experiment);
    this.#model = buildModel(config, new Rng(1));
    this.trained = regime === "trained" ? subject.trainLayers : [];
    freezeBackbone(this.#model, this.trained);
    const groups = parameterGroups(this.#model).map((group) => ({ ...group, initialLr: 0.001 }));
    this.#sgd = new Sgd(groups, { momentum: 0.9, weightDecay: 1e-4, clipNorm: 10, maxLoss: 1e4 });
    this.#runner = new StepRunner(this.#model, { record });
    this.#subject = subject;
    this.#batch = makeBatch(batchSize, subject);
  }

  /** Takes the first steps, after which all are alike; gives the loss of the very first. */
  warmUp(): number {
    const [{ loss }] = Array.from({ length: FIRST_STEPS }, () => this.step());
    return loss;
  }

  /** Takes one step and waits for its loss. */
  step(): TimedStep {
    const start = performance.now();
    const learningRates = this.#sgd.groups.map(() => 0.001);
    const tensors = this.#runner.take(this.#batch, { optimizer: this.#sgd, learningRates });
    const { cls, loc, total, update } = tensors;
    update.dataSync();
    const [loss] = total.dataSync();
    tf.dispose([cls, loc, total, update]);
    return { seconds: (performance.now() - start) / 1000, loss };
  }

  /** Whether the last step was a recorded one. */
  get replays(): boolean {
    return this.#runner.replays;
  }

  /** Writes weights and batch for `torch_peer.py`. */
  async write(path: string): Promise<void> {
    const { size, template, search, labelCls, labelLoc } = this.#batch;
    const { searchSize, scoreSize } = this.#subject;
    const host = (values: ArrayLike<number>, side: number, ...channels: readonly number[]) =>
      hostTensor("float32", [size, side, side, ...channels], Float32Array.from(values));
    await writeTorchFile(path, {
      state: new OrderedDict(stateDict(this.#model)),
      template: host(template, EXEMPLAR_SIZE, 3),
      search: host(search, searchSize, 3),
      labels: host(labelCls, scoreSize),
      target: host(labelLoc, scoreSize, 4),
    });
  }

  [Symbol.dispose](): void {
    this.#runner[Symbol.dispose]();
    this.#sgd[Symbol.dispose]();
    this.#model[Symbol.dispose]();
  }
}

const EXEMPLAR_SIZE = 127;

/** The batch of `torch_peer.py`: noise, 16 positive and 48 negative points an image. */
function makeBatch(size: number, { searchSize, scoreSize }: Subject): HostBatch {
  const rng = new Rng(1);
  const noise = (side: number) =>
    Float32Array.from({ length: size * side * side * 3 }, () => 255 * rng.uniform());
  const label = (point: number) => {
    const x = point % scoreSize, y = Math.floor(point / scoreSize) % scoreSize;
    if (y >= 10 && y < 14 && x >= 10 && x < 14) return 1;
    return y < 2 && x < 24 ? 0 : -1;
  };
  const points = size * scoreSize * scoreSize;
  return {
    size,
    template: noise(EXEMPLAR_SIZE),
    search: noise(searchSize),
    labelCls: Int32Array.from({ length: points }, (_, point) => label(point)),
    labelLoc: new Float32Array(4 * points).fill(40),
    box: new Float32Array(4 * size),
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
