import { z } from "zod";
import {
  type Mark,
  type Region,
  type Sequence,
  toRegion,
  Trajectory,
} from "../../evaluation/mod.ts";
import { real, reals } from "../form.ts";

/** A sequence as the golden files have it. */
export const votSequence = z.object({
  name: z.string(),
  gt: z.array(reals()),
  width: real(),
  height: real(),
});

/** A sequence as the evaluation takes it; a mark in place of the truth means that there is no target. */
export function toSequence({ name, gt, width, height }: z.infer<typeof votSequence>): Sequence {
  const truth = gt.map((numbers): Region | null => toRegion(numbers) ?? null);
  return { name, frames: [], truth, attributes: [], size: { w: width, h: height } };
}

/** A run, a row a frame: a region, or a mark. */
export function toTrajectory(rows: readonly (readonly number[])[]): Trajectory {
  const answers = rows.map((row) => row.length === 1 ? row[0] as Mark : toRegion(row) ?? 0);
  return Trajectory.of(answers);
}
