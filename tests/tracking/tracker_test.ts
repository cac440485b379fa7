import { assertEquals } from "@std/assert";
import type { Ltwh } from "../../src/geometry/boxes.ts";
import { createImage, type Image } from "../../src/image/image.ts";
import { type Tracker, trackFrames } from "../../src/tracking/tracker.ts";

/** Notes its calls; its box moves by a pixel a frame. */
class CountingTracker implements Tracker {
  readonly calls: string[] = [];
  #box: Ltwh = { x: 0, y: 0, w: 0, h: 0 };

  init(frame: Image, box: Ltwh): void {
    this.calls.push(`init ${frame.width}`);
    this.#box = box;
  }

  track(frame: Image) {
    this.calls.push(`track ${frame.width}`);
    this.#box = { ...this.#box, x: this.#box.x + 1 };
    return { box: this.#box, score: 0.5 };
  }

  [Symbol.dispose](): void {}
}

Deno.test("trackFrames() starts on the first frame and follows through the others", async () => {
  const tracker = new CountingTracker();
  const frames = [10, 11, 12].map((width) => createImage(width, 5));
  const box = { x: 3, y: 1, w: 2, h: 2 };
  const found = await Array.fromAsync(trackFrames(tracker, frames, box));
  assertEquals(tracker.calls, ["init 10", "track 11", "track 12"]);
  assertEquals(found.map(({ box, score, frame }) => [box.x, score, frame.width]), [
    [3, 1, 10],
    [4, 0.5, 11],
    [5, 0.5, 12],
  ]);
});

Deno.test("trackFrames() gives nothing for no frames", async () => {
  const box = { x: 0, y: 0, w: 1, h: 1 };
  assertEquals(await Array.fromAsync(trackFrames(new CountingTracker(), [], box)), []);
});
