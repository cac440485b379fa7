/**
 * Nothing grows over many training steps: a model of two layers, which is fast enough even here.
 * SIAMBAN_LEAK_STEPS asks for more steps than a test has time for, and has the figures printed.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assert, assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import type { Tensor4D } from "@tensorflow/tfjs";
import { type BackendHandle, useBackend } from "../../../src/backends/mod.ts";
import type { BatchTensors, SiamBAN, SiamBANLosses } from "../../../src/models/siamban.ts";
import { BatchNorm2d, Conv2d, initUniform, Module, namedParameters } from "../../../src/nn/mod.ts";
import { foldedConv2d, iouLoss, selectCrossEntropy } from "../../../src/ops/mod.ts";
import { Rng } from "../../../src/random.ts";
import { Sgd } from "../../../src/training/optimizer.ts";
import { type HostBatch, readStep } from "../../../src/training/step.ts";
import { StepRunner } from "../../../src/training/step_runner.ts";
import { BACKENDS } from "../../support/backends.ts";

const asked = Deno.env.get("SIAMBAN_LEAK_STEPS");
const STEPS = Number(asked ?? 300);
/** Steps after which everything has its size. */
const WARM_UP = 50;
/** Bytes that the process may grow by over all steps: memory of collected garbage is not all given back. */
const MOST_GROWTH = 64 << 20;
/** Bytes that live objects may grow by over the second half. */
const MOST_LIVE_GROWTH = 1 << 20;
const SIDE = 9, BATCH = 2;

/** A frozen layer, fused, and a trained one with its norm. */
class TwoLayers extends Module {
  readonly frozen = new Conv2d(3, 8, { kernel: 3, padding: 1 });
  readonly conv = new Conv2d(8, 8, { kernel: 3, padding: 1 });
  readonly norm = new BatchNorm2d(8);

  losses({ search, labelCls, labelLoc }: BatchTensors): SiamBANLosses {
    const { weight, bias, geometry } = this.frozen;
    const options = { ...geometry, bias: bias!.tensor, activation: "relu", epsilon: 0 } as const;
    const x = foldedConv2d(search, weight.tensor, options);
    const y = this.norm.forward(this.conv.forward(x), { residual: x, activation: "relu" });
    const points = BATCH * SIDE * SIDE;
    const boxes = y.slice([0, 0, 0, 2], [-1, -1, -1, 4]).add(1).reshape([points, 4]);
    const cls = selectCrossEntropy(y.slice([0, 0, 0, 0], [-1, -1, -1, 2]) as Tensor4D, labelCls);
    const loc = iouLoss(boxes, labelLoc.reshape([points, 4]), { weight: tf.ones([points]) });
    return { cls, loc, total: cls.add(loc) };
  }
}

/** What is held at one moment. */
function held({ cuda }: BackendHandle) {
  const { memory, hostKernels, compiled } = cuda!.statistics();
  const { used, reserved, blocks } = memory;
  const free = cuda!.driver.memoryInfo().free;
  return { used, reserved, blocks, free, tensors: tf.memory().numTensors, hostKernels, compiled };
}

setFlagsFromString("--expose-gc");
const collectGarbage: () => void = runInNewContext("gc");

/** Bytes of the process, and of objects that are in use. */
function hostMemory(): { readonly rss: number; readonly live: number } {
  collectGarbage();
  const { rss, heapUsed, external } = Deno.memoryUsage();
  return { rss, live: heapUsed + external };
}

function batchOf(step: number): HostBatch {
  const rng = new Rng(3, step);
  const points = BATCH * SIDE ** 2;
  return {
    size: BATCH,
    template: new Uint8Array(BATCH * 3),
    search: Uint8Array.from({ length: points * 3 }, () => rng.integer(256)),
    labelCls: Int32Array.from({ length: points }, () => rng.integer(3) - 1),
    labelLoc: new Float32Array(points * 4).fill(3),
    box: new Float32Array(BATCH * 4),
  };
}

for (const graph of [false, true]) {
  const way = graph ? "recorded" : "launch by launch";
  Deno.test({
    name: `Nothing grows over ${STEPS} steps, ${way}`,
    ignore: !BACKENDS.find(({ name }) => name === "emulated")!.available,
    async fn() {
      await using backend = await useBackend("emulated");
      using model = new TwoLayers();
      initUniform(model, new Rng(7));
      const parameters = [...namedParameters(model)]
        .filter(({ name }) => !name.startsWith("frozen"));
      using sgd = new Sgd([{ name: "head", parameters, initialLr: 1e-3 }], {
        momentum: 0.9,
        weightDecay: 1e-4,
        clipNorm: 10,
        maxLoss: 1e4,
      });
      using runner = new StepRunner(model as unknown as SiamBAN, { record: graph });
      const take = async (step: number) => {
        const options = { optimizer: sgd, learningRates: [1e-3 / (1 + step)] };
        const { losses } = await readStep(runner.take(batchOf(step), options));
        assert(Number.isFinite(losses.total), `loss of step ${step}`);
        await runner.batchTaken();
      };
      for (let step = 0; step < WARM_UP; step++) await take(step);
      assertEquals(runner.refused, undefined);
      const before = held(backend), memory = [hostMemory()];
      for (let step = 1; step <= STEPS; step++) {
        await take(step);
        if (step % Math.ceil(STEPS / 10) === 0) memory.push(hostMemory());
      }
      if (asked) console.log(way, { before, after: held(backend), memory });
      assertEquals(held(backend), before);
      const [start, half, end] = [memory[0], memory[Math.floor(memory.length / 2)], memory.at(-1)!];
      assert(end.rss - start.rss < MOST_GROWTH, JSON.stringify(memory));
      assert(end.live - half.live < MOST_LIVE_GROWTH, JSON.stringify(memory));
    },
  });
}
