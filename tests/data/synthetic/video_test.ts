import { assert, assertEquals, assertThrows } from "@std/assert";
import { syntheticVideo } from "../../../src/data/readers/synthetic.ts";
import { STILL_OVERLAP_LIMIT, SyntheticVideo } from "../../../src/data/synthetic/video.ts";
import { iou } from "../../../src/geometry/boxes.ts";

Deno.test("SyntheticVideo moves its target so that standing still does not score", () => {
  for (const frames of [30, 60, 100]) {
    for (let number = 0; number < 60; number++) {
      const video = new SyntheticVideo({ ...syntheticVideo("test", number), frames });
      const overlaps = Array.from({ length: frames }, (_, i) => iou(video.box(0), video.box(i)));
      const mean = overlaps.reduce((sum, overlap) => sum + overlap) / frames;
      assert(mean < STILL_OVERLAP_LIMIT, `video ${number} of ${frames} frames: ${mean}`);
    }
  }
});

Deno.test("SyntheticVideo keeps its target inside the picture and within reach of a tracker", () => {
  for (let number = 0; number < 60; number++) {
    const video = new SyntheticVideo(syntheticVideo("train", number));
    for (let i = 0; i < video.frames; i++) {
      const { x1, y1, x2, y2 } = video.box(i);
      assert(x1 >= -0.5 && y1 >= -0.5 && x2 <= video.width + 0.5 && y2 <= video.height + 0.5);
      const last = video.box(Math.max(0, i - 1));
      const side = Math.sqrt((x2 - x1) * (y2 - y1));
      assert(Math.hypot(x1 + x2 - last.x1 - last.x2, y1 + y2 - last.y1 - last.y2) / 2 < side / 2);
    }
  }
});

Deno.test("SyntheticVideo.frame() is a function of seed and index", () => {
  const frame = (seed: number, index: number) =>
    new SyntheticVideo({ seed, frames: 5 }).frame(index);
  assertEquals(frame(3, 4), frame(3, 4));
  const [a, b] = [frame(3, 4).data, frame(4, 4).data];
  assert(a.filter((value, i) => Math.abs(value - b[i]) > 8).length > a.length / 2);
});

Deno.test("SyntheticVideo.box() is where the target is drawn", () => {
  // The background is dull: strong colours are the target's.
  const options = { frames: 30, distractors: 0 };
  for (let seed = 0; seed < 10; seed++) {
    const video = new SyntheticVideo({ seed, ...options });
    const { data, width } = video.frame(0);
    const strong = (i: number) => {
      const [b, g, r] = data.subarray(3 * i, 3 * i + 3);
      return Math.max(b, g, r) - Math.min(b, g, r) > 120;
    };
    const pixels = Array.from({ length: data.length / 3 }, (_, i) => i).filter(strong);
    const xs = pixels.map((i) => i % width), ys = pixels.map((i) => Math.floor(i / width));
    const { x1, y1, x2, y2 } = video.box(0);
    const sides = [
      Math.min(...xs) - x1,
      Math.min(...ys) - y1,
      x2 - Math.max(...xs),
      y2 - Math.max(...ys),
    ];
    assert(sides.every((gap) => gap > -1), `seed ${seed}: ${sides}`); // nothing strong outside
    assert(pixels.length > (x2 - x1) * (y2 - y1) / 5);
  }
});

Deno.test("SyntheticVideo refuses fewer than two frames", () => {
  assertThrows(() => new SyntheticVideo({ seed: 1, frames: 1 }), RangeError, "expected 2 or more");
});
