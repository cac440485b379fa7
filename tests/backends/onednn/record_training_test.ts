import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { OnednnBackend } from "../../../src/backends/onednn/backend.ts";
import {
  buildModel,
  freezeBackbone,
  parameterGroups,
  type SiamBAN,
} from "../../../src/models/mod.ts";
import { stateDict } from "../../../src/nn/mod.ts";
import { Rng } from "../../../src/random.ts";
import { Sgd } from "../../../src/training/optimizer.ts";
import { readStep, type StepFigures } from "../../../src/training/step.ts";
import { StepRunner } from "../../../src/training/step_runner.ts";
import { noiseBatch, tinyExperiment } from "../../training/tiny.ts";
import { testNative } from "./against_reference.ts";

const config = tinyExperiment();

/** A model that takes steps; recorded ones from the fourth on, where asked. */
class Run implements Disposable {
  readonly model: SiamBAN = buildModel(config, new Rng(1));
  readonly runner: StepRunner;
  readonly #sgd: Sgd;

  constructor(record: boolean, trained: readonly string[] = ["features"]) {
    freezeBackbone(this.model, trained);
    const groups = parameterGroups(this.model).map((group) => ({ ...group, initialLr: 1 }));
    this.#sgd = new Sgd(groups, { momentum: 0.9, weightDecay: 0.01, clipNorm: 1, maxLoss: 1e4 });
    this.runner = new StepRunner(this.model, { record });
  }

  async step(step: number, rate = 0.01): Promise<StepFigures> {
    const batch = noiseBatch(config, { epoch: 0, step });
    if (step === 6) batch.labelLoc.fill(NaN);
    const learningRates = [rate, rate];
    return await readStep(this.runner.take(batch, { optimizer: this.#sgd, learningRates }));
  }

  weights() {
    return [...stateDict(this.model)].map(([name, { data }]) => ({ name, data }));
  }

  [Symbol.dispose](): void {
    this.runner[Symbol.dispose]();
    this.#sgd[Symbol.dispose]();
    this.model[Symbol.dispose]();
  }
}

for (const trained of [[], ["features"]]) {
  testNative(
    `A recorded step gives the same bits as one op by op, with [${trained}] of the backbone trained`,
    async () => {
      using recorded = new Run(true, trained);
      using plain = new Run(false, trained);
      for (let step = 0; step < 9; step++) {
        // A rate that changes, and at step 6 a batch whose loss is no number.
        const rate = 0.01 / (1 + step);
        assertEquals(await recorded.step(step, rate), await plain.step(step, rate));
      }
      assertEquals(recorded.runner.refused, undefined);
      assert(recorded.runner.replays);
      assertEquals(recorded.weights(), plain.weights());
    },
  );
}

testNative(
  "A recorded step sees weights that are overwritten, and its memory is its own",
  async () => {
    using recorded = new Run(true, []);
    using plain = new Run(false, []);
    for (let step = 0; step < 5; step++) {
      await recorded.step(step);
      await plain.step(step);
    }
    for (let step = 5; step < 7; step++) {
      // Others' tensors that live while it runs must not lie where it computes.
      const others = sizesOfThePool().map((length) => tf.ones([length]).mul(step));
      const before = others.map((tensor) => tensor.dataSync());
      const found = await recorded.step(step - 5);
      assertEquals(others.map((tensor) => tensor.dataSync()), before);
      tf.dispose(others);
      assertEquals(found, await plain.step(step - 5));
    }
    for (const { model } of [recorded, plain]) {
      const parameters = parameterGroups(model).flatMap(({ parameters }) => parameters);
      const [{ parameter }] = parameters;
      parameter.overwrite(parameter.tensor.dataSync().map((value) => 1.5 * value));
    }
    for (let step = 7; step < 13; step++) {
      assertEquals(await recorded.step(step), await plain.step(step));
    }
    assertEquals(recorded.weights(), plain.weights());
  },
);

testNative("A recorded step gives its memory back", async () => {
  const backend = tf.backend() as OnednnBackend;
  const tensors = backend.numDataIds();
  for (let i = 0; i < 3; i++) {
    using run = new Run(true);
    for (let step = 0; step < 6; step++) await run.step(step);
    assert(run.runner.replays);
  }
  assertEquals(backend.numDataIds(), tensors);
});

/** A length of each of the pool's classes, twice. */
function sizesOfThePool(): number[] {
  const octaves = [12, 13, 14, 15, 16, 17, 18, 19];
  const classes = octaves.flatMap((octave) =>
    Array.from({ length: 8 }, (_, i) => 2 ** (octave - 3) * (8 + i) / 4)
  );
  return [...classes, ...classes];
}
