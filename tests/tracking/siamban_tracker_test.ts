import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { buildTracker } from "../../src/experiment/held_out.ts";
import type { Image } from "../../src/image/image.ts";
import { buildModel } from "../../src/models/mod.ts";
import { loadStateDict, setTraining } from "../../src/nn/mod.ts";
import { GoldenFolder } from "../../src/parity/golden_folder.ts";
import { siambanTrackForm } from "../../src/parity/forms/siamban_track.ts";
import { isCheck } from "../../src/parity/form.ts";
import { Rng } from "../../src/random.ts";
import { hostTensor } from "../../src/weights/mod.ts";
import { sharedGolden } from "../data/golden.ts";
import { BACKENDS } from "../support/backends.ts";
import { liveTensors } from "../support/leaks.ts";
import { testTiny, tinyExperiment } from "../training/tiny.ts";

const SIZE = { width: 120, height: 90 };

function noise(seed: number): Image {
  const rng = new Rng(seed);
  return { ...SIZE, data: Uint8Array.from({ length: 120 * 90 * 3 }, () => rng.integer(256)) };
}

function trackerOf(config = tinyExperiment()) {
  const model = buildModel(config, new Rng(1));
  setTraining(model, false);
  return { model, tracker: buildTracker(model, config) };
}

const golden = sharedGolden("tracks");
const onednn = BACKENDS.find(({ name }) => name === "onednn")!;

Deno.test({
  name: "SiamBANTracker tracks as the reference does",
  ignore: !golden || !onednn.available,
  async fn() {
    await using _ = await onednn.use();
    const folder = await GoldenFolder.open(golden!);
    const path = "siamban_formula.json";
    const context = { folder, options: { backend: onednn.name } };
    const findings = siambanTrackForm.match({ path, content: await folder.json(path) }, context)!;
    const checks = (await Array.fromAsync(findings)).filter(isCheck);
    assertEquals(checks.map(({ name }) => name).slice(0, 2), [
      "hanning",
      "track resnet50_formula_frames",
    ]);
    assertEquals(checks.filter(({ passed }) => !passed), []);
  },
});

testTiny("SiamBANTracker follows the same way each time it is started over", () => {
  const { model, tracker } = trackerOf();
  using _ = model;
  using __ = tracker;
  const box = { x: 30, y: 20, w: 24, h: 30 };
  const runs = [0, 1].map(() => {
    tracker.init(noise(1), box);
    return [2, 3, 4].map((seed) => tracker.track(noise(seed)));
  });
  assertEquals(runs[0], runs[1]);
  for (const { box: { x, y, w, h }, score } of runs[0]) {
    assert([x, y].every(Number.isFinite));
    assert(w >= 10 && h >= 10 && w <= 120 && h <= 90);
    assert(score >= 0 && score <= 1);
  }
});

testTiny("SiamBANTracker frees its template and keeps nothing else", () => {
  const { model, tracker } = trackerOf();
  using _ = model;
  const before = liveTensors();
  tracker.init(noise(1), { x: 30, y: 20, w: 24, h: 30 });
  const started = liveTensors();
  tracker.init(noise(2), { x: 30, y: 20, w: 24, h: 30 });
  tracker.track(noise(3));
  assertEquals(liveTensors(), started);
  tracker[Symbol.dispose]();
  assertEquals(liveTensors(), before);
});

testTiny("SiamBANTracker tracks with a head of one class channel", () => {
  const config = tinyExperiment({
    head: { type: "DepthwiseBAN", kwargs: { outChannels: 8, clsOutChannels: 1 } },
  });
  const { model, tracker } = trackerOf(config);
  using _ = model;
  using __ = tracker;
  // A head that says the same everywhere: a box of 40 x 40 search pixels, with a logit of 1.
  const constant = {
    "head.cls.head.3.weight": hostTensor("float32", [1, 8, 1, 1], new Float32Array(8)),
    "head.cls.head.3.bias": hostTensor("float32", [1], Float32Array.of(1)),
    "head.loc.head.3.weight": hostTensor("float32", [4, 8, 1, 1], new Float32Array(32)),
    "head.loc.head.3.bias": hostTensor("float32", [4], new Float32Array(4).fill(20)),
  };
  loadStateDict(model, new Map(Object.entries(constant)), { strict: false });
  tracker.init(noise(1), { x: 30, y: 20, w: 24, h: 30 });
  const { score } = tracker.track(noise(2));
  assertAlmostEquals(score, 1 / (1 + Math.exp(-1)), 1e-6);
});

testTiny("SiamBANTracker needs a target with an area", () => {
  const { model, tracker } = trackerOf();
  using _ = model;
  using __ = tracker;
  assertThrows(() => tracker.track(noise(1)), Error, "there is no target yet, call init() first");
  for (const [w, h] of [[0, 5], [5, -1], [NaN, 5]]) {
    const message = `Cannot follow a box of ${w} x ${h} pixels`;
    assertThrows(() => tracker.init(noise(1), { x: 1, y: 1, w, h }), RangeError, message);
  }
});
