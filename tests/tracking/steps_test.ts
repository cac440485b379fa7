import { assertEquals } from "@std/assert";
import { buildTracker } from "../../src/experiment/held_out.ts";
import type { Image } from "../../src/image/image.ts";
import { buildModel } from "../../src/models/mod.ts";
import { setTraining } from "../../src/nn/mod.ts";
import { Rng } from "../../src/random.ts";
import {
  cropSearch,
  learnTemplate,
  moveTarget,
  respond,
  responseGrid,
  searchSquare,
  startCenter,
} from "../../src/tracking/steps.ts";
import { liveTensors } from "../support/leaks.ts";
import { testTiny, tinyExperiment } from "../training/tiny.ts";

function noise(seed: number): Image {
  const rng = new Rng(seed), [width, height] = [120, 90];
  return {
    width,
    height,
    data: Uint8Array.from({ length: 3 * width * height }, () => rng.integer(256)),
  };
}

const config = tinyExperiment();
const options = { ...config.tracking, scoreSize: 9, stride: 8 };
const box = { x: 30, y: 20, w: 24, h: 30 };

testTiny("respond() answers several searches at once as one at a time", () => {
  using model = buildModel(config, new Rng(1));
  setTraining(model, false);
  const before = liveTensors();
  {
    using first = learnTemplate(model, { frame: noise(1), box, ...options });
    using second = learnTemplate(model, { frame: noise(2), box, ...options });
    const searches = [first, second, first].map(({ features, border }, i) => {
      const center = startCenter({ ...box, x: box.x + 3 * i });
      const { side } = searchSquare(center, options);
      const crop = cropSearch(noise(3 + i), center, { ...options, border, side });
      return { features, crop };
    });
    const together = respond(model, searches);
    assertEquals(together, searches.map((search) => respond(model, [search])[0]));
  }
  assertEquals(liveTensors(), before);
});

testTiny("the steps one by one are what a tracker does", () => {
  using model = buildModel(config, new Rng(1));
  setTraining(model, false);
  using tracker = buildTracker(model, config);
  tracker.init(noise(1), box);
  using template = learnTemplate(model, { frame: noise(1), box, ...options });
  const { features, border } = template;
  let center = startCenter(box);
  for (const seed of [2, 3, 4]) {
    const frame = noise(seed);
    const { scale, side, left, top } = searchSquare(center, options);
    // The square decides the crop: its corner is where the centre's is rounded to.
    const middle = { cx: left + (side + 1) / 2, cy: top + (side + 1) / 2, w: 1, h: 1 };
    const crop = cropSearch(frame, middle, { ...options, border, side });
    const [response] = respond(model, [{ features, crop }]);
    const grid = responseGrid(options);
    const { next, ...tracked } = moveTarget(center, response, {
      options,
      grid,
      scale,
      size: frame,
    });
    assertEquals(tracked, tracker.track(frame));
    center = next;
  }
});
