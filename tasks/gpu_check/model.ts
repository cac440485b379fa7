import {
  type BackendHandle,
  buildModel,
  type CudaBackend,
  type Experiment,
  type ExperimentConfig,
  freezeBackbone,
  type HostBatch,
  parameterGroups,
  parseExperiment,
  readStep,
  Rng,
  Sgd,
  type SiamBAN,
  type StepFigures,
  StepRunner,
} from "../../mod.ts";
import type { Scale } from "./section.ts";

/** What trains: neck and head, or the backbone's upper layers as well. */
export type Regime = "frozen" | "trained";

/** What one step costs. */
export interface StepCost {
  /** Milliseconds of a step, the device never idle. */
  readonly ms: number;
  /** Of them, those in which JavaScript was busy. */
  readonly hostMs: number;
  /** Largest device memory in use. */
  readonly peakBytes: number;
  /** Multiplications and additions of the convolutions of a step. */
  readonly operations: number;
  /** Why steps were not recorded. */
  readonly refused?: string;
}

/** The network that is checked: ResNet-50, or in the reduced form one that takes milliseconds. */
export function experimentOf({ reduced, batch }: Scale): Experiment {
  if (!reduced) return { backbone: { type: "resnet50" }, training: { batchSize: batch } };
  const size = { exemplarSize: 111, searchSize: 175, baseSize: 0 };
  return {
    name: "reduced",
    backbone: { type: "alexnetlegacy", kwargs: { widthMult: 0.05 } },
    neck: { enabled: false },
    head: { type: "DepthwiseBAN", kwargs: { outChannels: 8 } },
    tracking: size,
    training: { ...size, scoreSize: 9, batchSize: batch },
  };
}

/** Noise in memory as a loader's, with 16 positive and 48 negative points an image. */
export function noiseBatch({ training }: ExperimentConfig): HostBatch {
  const { batchSize: size, exemplarSize, searchSize, scoreSize } = training;
  const rng = new Rng(7);
  const noise = (count: number) => {
    const values = new Float32Array(new SharedArrayBuffer(4 * count));
    for (let i = 0; i < count; i++) values[i] = 255 * rng.uniform();
    return values;
  };
  const points = scoreSize ** 2, middle = Math.floor(scoreSize / 2);
  const label = (i: number) => {
    const y = Math.floor(i % points / scoreSize), x = i % scoreSize;
    const near = Math.abs(y - middle) <= 2 && Math.abs(x - middle) <= 2;
    return near ? 1 : y < 2 ? 0 : -1;
  };
  return {
    size,
    template: noise(size * exemplarSize ** 2 * 3),
    search: noise(size * searchSize ** 2 * 3),
    labelCls: Int32Array.from({ length: size * points }, (_, i) => label(i)),
    labelLoc: new Float32Array(size * points * 4).fill(40),
    box: new Float32Array(size * 4),
  };
}

/** A network on a device with a batch of noise, ready to step as the trainer does. */
export class CheckedModel implements Disposable {
  readonly #cuda: CudaBackend;
  readonly #model: SiamBAN;
  readonly #sgd: Sgd;
  readonly #runner: StepRunner;
  readonly #batch: HostBatch;
  #operations = 0;

  constructor(
    backend: BackendHandle,
    { scale, regime, graph }: {
      readonly scale: Scale;
      readonly regime: Regime;
      readonly graph: boolean;
    },
  ) {
    const config = parseExperiment(experimentOf(scale));
    this.#cuda = backend.cuda!;
    this.#model = buildModel(config, new Rng(1));
    const layers = scale.reduced ? ["features"] : ["layer2", "layer3", "layer4"];
    freezeBackbone(this.#model, regime === "trained" ? layers : []);
    const groups = parameterGroups(this.#model).map((group) => ({ ...group, initialLr: 0.001 }));
    this.#sgd = new Sgd(groups, { momentum: 0.9, weightDecay: 1e-4, clipNorm: 10, maxLoss: 1e4 });
    this.#runner = new StepRunner(this.#model, { record: graph });
    this.#batch = noiseBatch(config);
  }

  /** Takes steps, reading each one step late; gives their figures and JavaScript's time. */
  async run(steps: number): Promise<{ figures: StepFigures[]; hostMs: number; ms: number }> {
    const figures: StepFigures[] = [];
    const learningRates = this.#sgd.groups.map(() => 0.001);
    let hostMs = 0;
    let pending: Promise<StepFigures> | undefined;
    this.#cuda.stream.synchronize();
    const start = performance.now();
    for (let i = 0; i < steps; i++) {
      const before = performance.now();
      const next = readStep(
        this.#runner.take(this.#batch, { optimizer: this.#sgd, learningRates }),
      );
      hostMs += performance.now() - before;
      if (pending) figures.push(await pending);
      pending = next;
    }
    if (pending) figures.push(await pending);
    this.#cuda.stream.synchronize();
    return { figures, hostMs, ms: performance.now() - start };
  }

  /** Takes a first step, which is never a recorded one, and some more until one is recorded. */
  async warmUp(): Promise<void> {
    const { convolutions } = this.#cuda;
    const before = convolutions.operations;
    await this.run(1);
    this.#operations = convolutions.operations - before;
    await this.run(4);
  }

  /** Times steps; call it some times and take medians. */
  async time(steps: number): Promise<StepCost> {
    const { ms, hostMs } = await this.run(steps);
    const { refused } = this.#runner;
    return {
      ms: ms / steps,
      hostMs: hostMs / steps,
      peakBytes: this.#cuda.statistics().memory.peakReserved,
      operations: this.#operations,
      ...(refused ? { refused } : {}),
    };
  }

  [Symbol.dispose](): void {
    this.#runner[Symbol.dispose]();
    this.#sgd[Symbol.dispose]();
    this.#model[Symbol.dispose]();
    this.#cuda.trim();
    this.#cuda.resetPeaks();
  }
}
