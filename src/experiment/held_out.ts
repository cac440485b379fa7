import type { ExperimentConfig, ValidationConfig } from "../config/experiment_config.ts";
import { FrameReader } from "../data/frame_reader.ts";
import { TRACK_READERS } from "../data/readers/mod.ts";
import { isFault, type Track } from "../data/track.ts";
import { averageOverlap } from "../evaluation/overlap.ts";
import { cornerToLtwh, type Ltwh } from "../geometry/boxes.ts";
import type { Image } from "../image/image.ts";
import type { SiamBAN } from "../models/siamban.ts";
import { setTraining } from "../nn/module.ts";
import { SiamBANTracker } from "../tracking/siamban_tracker.ts";
import type { SiamBANTrackerOptions } from "../tracking/steps.ts";
import { type Tracker, trackFrames } from "../tracking/tracker.ts";

/** A sequence with what a tracker made of it. */
export interface TrackedSequence {
  readonly track: Track;
  readonly predicted: readonly Ltwh[];
  /** Null where the target is not given. */
  readonly truth: readonly (Ltwh | null)[];
  /** Average overlap, 0 to 1. */
  readonly ao: number;
}

/** The tracker that an experiment describes. */
export function buildTracker(
  model: SiamBAN,
  config: ExperimentConfig,
): SiamBANTracker {
  return new SiamBANTracker(model, trackerOptions(config));
}

/** Settings of the tracker that an experiment describes. */
export function trackerOptions({ tracking, points }: ExperimentConfig): SiamBANTrackerOptions {
  const { exemplarSize, searchSize, baseSize } = tracking;
  const scoreSize = Math.floor((searchSize - exemplarSize) / points.stride) + 1 + baseSize;
  return { ...tracking, scoreSize, stride: points.stride };
}

/**
 * Tracks the held-out sequences of an experiment, one after the other. The model is left in
 * evaluation mode.
 *
 * @throws {RangeError} If there are none.
 */
export async function* trackHeldOut(
  model: SiamBAN,
  config: ExperimentConfig & { readonly validation: ValidationConfig },
): AsyncGenerator<TrackedSequence> {
  setTraining(model, false);
  const { source, sequences } = config.validation;
  using tracker = buildTracker(model, config);
  await using reader = new FrameReader();
  let count = 0;
  for await (const track of TRACK_READERS[source.format](source)) {
    if (isFault(track)) throw new Error(`Cannot validate: ${track.reason}`);
    if (count++ === sequences) return;
    yield await trackSequence(tracker, track, reader);
  }
  if (count === 0) {
    throw new RangeError(
      `Cannot validate: "${source.root}" holds no sequences of the form ${source.format}, ` +
        "check validation.source",
    );
  }
}

/**
 * Tracks one sequence from its first frame on.
 *
 * @throws {RangeError} If the target is not given in the first frame.
 */
export async function trackSequence(
  tracker: Tracker,
  track: Track,
  reader: FrameReader,
): Promise<TrackedSequence> {
  const truth = track.frames.map(({ box }) => box ? cornerToLtwh(box) : null);
  const first = truth[0];
  if (!first) {
    throw new RangeError(`Cannot track "${track.video}": its first frame has no box, expected one`);
  }
  const predicted: Ltwh[] = [];
  for await (const { box } of trackFrames(tracker, framesOf(track, reader), first)) {
    predicted.push(box);
  }
  return { track, predicted, truth, ao: averageOverlap(predicted, truth) };
}

/** The pictures of a track, in order. */
export async function* framesOf(track: Track, reader: FrameReader): AsyncGenerator<Image> {
  for (const { image } of track.frames) yield await reader.read(image);
}
