import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { FrameReader } from "../../src/data/frame_reader.ts";
import { readSynthetic } from "../../src/data/readers/synthetic.ts";
import { trackHeldOut, trackSequence } from "../../src/experiment/held_out.ts";
import type { Ltwh } from "../../src/geometry/boxes.ts";
import type { Tracker } from "../../src/tracking/tracker.ts";
import { temporaryFolder } from "../data/demo.ts";
import { testTiny, tinyExperiment, tinyModel } from "../training/tiny.ts";

/** Says that the target stays where it is. */
class StandingTracker implements Tracker {
  #box: Ltwh = { x: 0, y: 0, w: 0, h: 0 };

  init(_frame: unknown, box: Ltwh): void {
    this.#box = box;
  }

  track() {
    return { box: this.#box, score: 1 };
  }

  [Symbol.dispose](): void {}
}

async function firstTrack() {
  for await (const track of readSynthetic({ videos: 1, frames: 4 })) return track;
  throw new Error("There is no track");
}

Deno.test("trackSequence() compares each frame's box with the true one", async () => {
  const track = await firstTrack();
  await using reader = new FrameReader();
  const { predicted, truth, ao } = await trackSequence(new StandingTracker(), track, reader);
  assertEquals([predicted.length, truth.length], [4, 4]);
  assertEquals(predicted[0], truth[0]);
  assert(ao > 0 && ao < 1, `${ao}`);
  const { frames } = track;
  const still = { ...track, frames: frames.map((frame) => ({ ...frame, box: frames[0].box })) };
  assertAlmostEquals((await trackSequence(new StandingTracker(), still, reader)).ao, 1, 1e-9);
});

Deno.test("trackSequence() needs the target in the first frame", async () => {
  const { frames, ...track } = await firstTrack();
  const lost = { ...track, frames: frames.map((frame) => ({ ...frame, box: null })) };
  await using reader = new FrameReader();
  await assertRejects(
    () => trackSequence(new StandingTracker(), lost, reader),
    RangeError,
    "its first frame has no box",
  );
});

testTiny(
  "trackHeldOut() tracks the first sequences, and leaves the model to evaluate",
  async () => {
    const source = { format: "synthetic" as const, root: "", split: "test" as const, frames: 3 };
    const config = { ...tinyExperiment(), validation: { source, sequences: 2 } };
    using model = tinyModel(config);
    const tracked = await Array.fromAsync(trackHeldOut(model, config));
    assertEquals(tracked.map(({ predicted }) => predicted.length), [3, 3]);
    assertEquals(model.backbone.training, false);
  },
);

testTiny("trackHeldOut() says where it found no sequences", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(`${folder.path}/list.txt`, "");
  const source = { format: "got10k" as const, root: folder.path };
  const config = { ...tinyExperiment(), validation: { source, sequences: 2 } };
  using model = tinyModel(config);
  await assertRejects(() => Array.fromAsync(trackHeldOut(model, config)), Error, folder.path);
});
