import { iou, type Ltwh, ltwhToCorner } from "../geometry/boxes.ts";

/**
 * Overlap of each frame's predicted box with the true one.
 *
 * @param predicted A box a frame.
 * @param truth The true boxes; null where the target cannot be seen.
 * @returns Intersection over union a frame, 0 to 1; NaN where there is no truth.
 * @throws {RangeError} If the numbers of boxes differ.
 */
export function overlaps(
  predicted: readonly Ltwh[],
  truth: readonly (Ltwh | null)[],
): Float64Array {
  if (predicted.length !== truth.length) {
    throw new RangeError(
      `Cannot compare boxes: ${predicted.length} predicted, expected ${truth.length} as in the truth`,
    );
  }
  return Float64Array.from(predicted, (box, i) => {
    const target = truth[i];
    return target ? iou(ltwhToCorner(box), ltwhToCorner(target)) : NaN;
  });
}

/**
 * Average overlap (AO) of a sequence: the mean over all frames but the first, whose box the tracker is given
 * (GOT-10k, arXiv:1810.11981, section 4.2). Frames without truth do not count.
 *
 * @returns 0 to 1; NaN where no frame counts.
 */
export function averageOverlap(
  predicted: readonly Ltwh[],
  truth: readonly (Ltwh | null)[],
): number {
  const counted = overlaps(predicted, truth).slice(1).filter((overlap) => !Number.isNaN(overlap));
  return counted.reduce((sum, overlap) => sum + overlap, 0) / counted.length;
}
