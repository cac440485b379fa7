import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { followSequence } from "../../../src/evaluation/run/follow.ts";
import type { Sequence } from "../../../src/evaluation/sequence.ts";
import type { Ltwh } from "../../../src/geometry/boxes.ts";
import type { Image } from "../../../src/image/image.ts";
import type { Tracker } from "../../../src/tracking/tracker.ts";

const TARGET = { x: 10, y: 10, w: 20, h: 10 };
const AWAY = { x: 60, y: 40, w: 20, h: 10 };

function sequenceOf(truth: Sequence["truth"]): Sequence {
  return { name: "a", frames: truth.map((_, i) => `${i}.jpg`), truth, attributes: [] };
}

function pictures(count: number): Image[] {
  return Array.from({ length: count }, (_, i) => ({
    width: 100,
    height: 80,
    data: new Uint8Array(3 * 100 * 80).fill(i),
  }));
}

/** Answers from a list by frame; remembers where it was started. */
class Scripted implements Tracker {
  readonly starts: { readonly frame: number; readonly box: Ltwh }[] = [];

  constructor(readonly answers: readonly Ltwh[]) {}

  init(frame: Image, box: Ltwh): void {
    this.starts.push({ frame: frame.data[0], box });
  }

  track(frame: Image) {
    return { box: this.answers[frame.data[0]], score: 0.5 };
  }

  [Symbol.dispose](): void {}
}

Deno.test("followSequence() goes through in one pass, from the middle of the first box", async () => {
  const tracker = new Scripted([TARGET, TARGET, AWAY]);
  const { trajectory, confidences, seconds } = await followSequence(
    tracker,
    sequenceOf([TARGET, null, TARGET]),
    { protocol: "ope", frames: pictures(3) },
  );
  const start = { ...TARGET, x: 10.5, y: 10.5 };
  assertEquals(tracker.starts, [{ frame: 0, box: start }]);
  assertEquals(trajectory, [start, TARGET, AWAY]);
  assertEquals(confidences, [NaN, 0.5, 0.5]);
  assertEquals(seconds.length, 3);
});

Deno.test("followSequence() starts again five frames after a failure", async () => {
  const tracker = new Scripted(
    Array.from({ length: 12 }, (_, i) => i === 2 || i === 9 ? AWAY : TARGET),
  );
  const { trajectory } = await followSequence(tracker, sequenceOf(Array(12).fill(TARGET)), {
    protocol: "restart",
    frames: pictures(12),
  });
  assertEquals(trajectory, [1, TARGET, 2, 0, 0, 0, 0, 1, TARGET, 2, 0, 0]);
  assertEquals(tracker.starts.map(({ frame }) => frame), [0, 7]);
});

Deno.test("followSequence() starts from a polygon's upright box, and waits for a target", async () => {
  const square = { points: [10, 10, 20, 10, 20, 20, 10, 20] };
  const truth = [square, square, null, null, null, null, null, square];
  const tracker = new Scripted(Array(8).fill(AWAY));
  const { trajectory } = await followSequence(tracker, sequenceOf(truth), {
    protocol: "restart",
    frames: pictures(8),
  });
  assertEquals(trajectory, [1, 2, 0, 0, 0, 0, 0, 1]);
  const [{ box }] = tracker.starts;
  assertAlmostEquals(box.w, 11, 1e-9);
  assertAlmostEquals(box.x, 10, 1e-9);
});

Deno.test("followSequence() marks the start of a long-term run", async () => {
  const tracker = new Scripted([TARGET, TARGET]);
  const { trajectory } = await followSequence(tracker, sequenceOf([TARGET, null]), {
    protocol: "longTerm",
    frames: pictures(2),
  });
  assertEquals(trajectory, [1, TARGET]);
});

Deno.test("followSequence() refuses a sequence without a first box or with pictures missing", async () => {
  const follow = (truth: Sequence["truth"], count: number) =>
    followSequence(new Scripted(Array(3).fill(TARGET)), sequenceOf(truth), {
      protocol: "ope",
      frames: pictures(count),
    });
  await assertRejects(() => follow([null, TARGET], 2), RangeError, "no box to start from");
  await assertRejects(() => follow([TARGET, TARGET, TARGET], 2), RangeError, "has 2 pictures");
});
