import * as tf from "@tensorflow/tfjs";
import type { Rank, Tensor4D } from "@tensorflow/tfjs";
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { ProtocolName, Region } from "../../src/evaluation/mod.ts";
import { type Followed, followSequence } from "../../src/evaluation/run/follow.ts";
import { trackerOptions } from "../../src/experiment/held_out.ts";
import type { Ltwh } from "../../src/geometry/boxes.ts";
import type { Image } from "../../src/image/image.ts";
import { buildModel, type SiamBAN } from "../../src/models/mod.ts";
import { setTraining } from "../../src/nn/mod.ts";
import { Rng } from "../../src/random.ts";
import { type TrackingModel, trackSideBySide } from "../../src/search/mod.ts";
import { SiamBANTracker, type SiamBANTrackerOptions } from "../../src/tracking/mod.ts";
import { liveTensors } from "../support/leaks.ts";
import { testTiny, tinyExperiment } from "../training/tiny.ts";

const [WIDTH, HEIGHT] = [120, 90];

function noise(seed: number): Image {
  const rng = new Rng(seed), length = 3 * WIDTH * HEIGHT;
  return {
    width: WIDTH,
    height: HEIGHT,
    data: Uint8Array.from({ length }, () => rng.integer(256)),
  };
}

const frames = Array.from({ length: 16 }, (_, i) => noise(i));
/** A target that runs away from a tracker of noise. */
const truth: Region[] = frames.map((_, i) => ({ x: 10 + 5 * i, y: 20, w: 24, h: 30 }));

const settings: SiamBANTrackerOptions[] = [
  {},
  { penaltyK: 0.02 },
  { penaltyK: 0.021 },
  { windowInfluence: 0.7 },
  { scaleLr: 0.9, windowInfluence: 0.1 },
  { contextAmount: 0.4 },
  {},
].map((tracking) => ({ ...trackerOptions(tinyExperiment()), ...tracking }));

/** What each setting gets by itself. */
async function trackAlone(model: SiamBAN, protocol: ProtocolName): Promise<Followed[]> {
  const alone: Followed[] = [];
  for (const setting of settings) {
    using tracker = new SiamBANTracker(model, setting);
    const sequence = { name: "noise", frames: [], truth, attributes: [] };
    alone.push(await followSequence(tracker, sequence, { protocol, frames }));
  }
  return alone;
}

function tinyTracking(): SiamBAN {
  const model = buildModel(tinyExperiment(), new Rng(1));
  setTraining(model, false);
  return model;
}

testTiny("trackSideBySide() gives each setting what it gets by itself", async () => {
  using model = tinyTracking();
  const before = liveTensors();
  const alone = await trackAlone(model, "ope");
  for (const batch of [1, 3, 8]) {
    const side = await trackSideBySide(model, { frames, truth, protocol: "ope", settings, batch });
    assertEquals(side.results.map(({ runs }) => [...runs[0]]), alone.map((run) => run.trajectory));
    assertEquals(side.searches, settings.length * (frames.length - 1));
    // Two settings are equal, and all but one start with the same square.
    assert(side.answered <= side.searches - (frames.length - 1) - 4);
  }
  assertEquals(liveTensors(), before);
});

/** Sees the target in the middle and, a little surer, one point further down, as large as before. */
const twoMinded: TrackingModel = {
  template: () => [tf.zeros([1, 1, 1, 1])],
  track(_, x) {
    const side = 9, scores = tf.buffer([1, side, side, 2], "float32");
    scores.values.fill(-9).forEach((_, i, values) => i % 2 === 0 ? values[i] = 9 : 0);
    for (const [row, score] of [[4, 1], [5, 1.2]]) scores.set(score, 0, row, 4, 1);
    for (const row of [4, 5]) scores.set(0, 0, row, 4, 0);
    const loc = tf.fill<Rank.R4>([1, side, side, 4], 20);
    return {
      cls: tf.tile(scores.toTensor() as Tensor4D, [x.shape[0], 1, 1, 1]),
      loc: tf.tile(loc, [x.shape[0], 1, 1, 1]),
    };
  },
};

testTiny("trackSideBySide() shares an answer only where the pixels are the same", async () => {
  const setting = { ...trackerOptions(tinyExperiment()), penaltyK: 0, scaleLr: 0 };
  const surer = { ...setting, windowInfluence: 0 }, nearer = { ...setting, windowInfluence: 0.9 };
  const { results, answered } = await trackSideBySide(twoMinded, {
    frames: frames.slice(0, 3),
    truth: truth.slice(0, 3),
    protocol: "ope",
    settings: [surer, nearer, surer],
  });
  const [[, far], [, near]] = results.map(({ runs }) => [...runs[0]] as Ltwh[]);
  // Only the rows differ, and the sizes stay, so that it takes all of the square to tell them apart.
  assertEquals([far.x, far.w, far.h], [near.x, near.w, near.h]);
  assert(far.y > near.y + 1);
  // One answer for all in the second frame, two in the third.
  assertEquals(answered, 1 + 2);
});

testTiny("trackSideBySide() restarts each setting where it fails", async () => {
  using model = tinyTracking();
  const before = liveTensors();
  const side = await trackSideBySide(model, { frames, truth, protocol: "restart", settings });
  const alone = (await trackAlone(model, "restart")).map(({ trajectory }) => trajectory);
  assertEquals(side.results.map(({ runs }) => [...runs[0]]), alone);
  assert(alone.flat().filter((answer) => answer === 2).length > 3);
  assertEquals(liveTensors(), before);
});

testTiny("trackSideBySide() tells confidences in long-term tracking", async () => {
  using model = tinyTracking();
  const options = { frames, truth, protocol: "longTerm", settings } as const;
  const { results } = await trackSideBySide(model, options);
  const alone = await trackAlone(model, "longTerm");
  results.forEach(({ runs: [run], confidences }, i) => {
    assertEquals([...run], alone[i].trajectory);
    assertEquals([...confidences![0]], [...alone[i].confidences]);
  });
});

testTiny(
  "trackSideBySide() needs the target where a tracker starts, and leaks nothing",
  async () => {
    using model = tinyTracking();
    const before = liveTensors();
    await assertRejects(
      () => trackSideBySide(model, { frames, truth: [null], protocol: "ope", settings }),
      RangeError,
      "not given in frame 1",
    );
    const broken = (async function* () {
      yield frames[0];
      yield await Promise.reject(new SyntaxError("damaged"));
    })();
    await assertRejects(
      () => trackSideBySide(model, { frames: broken, truth, protocol: "ope", settings }),
      SyntaxError,
    );
    assertEquals(liveTensors(), before);
  },
);
