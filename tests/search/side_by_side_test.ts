import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Region, votOverlap } from "../../src/evaluation/mod.ts";
import { startBox } from "../../src/evaluation/start_box.ts";
import { trackerOptions } from "../../src/experiment/held_out.ts";
import type { Image } from "../../src/image/image.ts";
import { buildModel, type SiamBAN } from "../../src/models/mod.ts";
import { setTraining } from "../../src/nn/mod.ts";
import { Rng } from "../../src/random.ts";
import { trackSideBySide } from "../../src/search/mod.ts";
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

/** One pass, one setting. */
function trackOnePass(model: SiamBAN, setting: SiamBANTrackerOptions): unknown[] {
  using tracker = new SiamBANTracker(model, setting);
  const first = startBox(truth[0], "ope");
  tracker.init(frames[0], first);
  return [first, ...frames.slice(1).map((frame) => tracker.track(frame).box)];
}

/** With restarts, one setting; as siamban's tools/test.py has it. */
function trackWithRestarts(model: SiamBAN, setting: SiamBANTrackerOptions): unknown[] {
  using tracker = new SiamBANTracker(model, setting);
  const bounds = { left: 0, top: 0, right: WIDTH, bottom: HEIGHT };
  let start = 0;
  return frames.map((frame, i) => {
    if (i < start) return 0;
    if (i === start) {
      tracker.init(frame, startBox(truth[i], "restart"));
      return 1;
    }
    const { box } = tracker.track(frame);
    if (votOverlap(box, truth[i], bounds) > 0) return box;
    start = i + 5;
    return 2;
  });
}

function tinyTracking(): SiamBAN {
  const model = buildModel(tinyExperiment(), new Rng(1));
  setTraining(model, false);
  return model;
}

testTiny("trackSideBySide() gives each setting what it gets by itself", async () => {
  using model = tinyTracking();
  const before = liveTensors();
  for (const batch of [1, 3, 8]) {
    const side = await trackSideBySide(model, { frames, truth, protocol: "ope", settings, batch });
    const alone = settings.map((setting) => trackOnePass(model, setting));
    assertEquals(side.results.map(({ runs }) => runs[0]), alone);
    assertEquals(side.searches, settings.length * (frames.length - 1));
    // Two settings are equal, and all but one start with the same square.
    assert(side.answered <= side.searches - (frames.length - 1) - 4);
  }
  assertEquals(liveTensors(), before);
});

testTiny("trackSideBySide() restarts each setting where it fails", async () => {
  using model = tinyTracking();
  const before = liveTensors();
  const side = await trackSideBySide(model, { frames, truth, protocol: "restart", settings });
  const alone = settings.map((setting) => trackWithRestarts(model, setting));
  assertEquals(side.results.map(({ runs }) => runs[0]), alone);
  assert(alone.flat().filter((answer) => answer === 2).length > 3);
  assertEquals(liveTensors(), before);
});

testTiny("trackSideBySide() tells confidences in long-term tracking", async () => {
  using model = tinyTracking();
  const { results: [{ runs: [run], confidences }] } = await trackSideBySide(model, {
    frames,
    truth: [...truth.slice(0, 3), null, ...truth.slice(4)],
    protocol: "longTerm",
    settings: settings.slice(0, 1),
  });
  assertEquals(run[0], 1);
  assertEquals(run.length, frames.length);
  assertEquals(confidences![0].map(Number.isFinite as never).indexOf(0 as never), 0);
  assert(confidences![0].slice(1).every((score) => score >= 0 && score <= 1));
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
