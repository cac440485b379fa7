/**
 * Archives that the servers of GOT-10k and TrackingNet take.
 *
 * @module
 */
import type { Zippable } from "fflate";
import type { Ltwh } from "../geometry/boxes.ts";
import { enclosingBox } from "./region.ts";
import type { TrackerResults } from "./results.ts";
import type { Sequence } from "./sequence.ts";
import type { Trajectory } from "./trajectory.ts";

/** A tracker's boxes on a sequence. */
export interface SubmittedSequence {
  readonly name: string;
  /** Boxes a frame, for each repetition; the first is the given one. */
  readonly runs: readonly (readonly Ltwh[])[];
  /** Seconds a frame took, for each repetition. */
  readonly times?: readonly (readonly number[])[];
}

/** A server that takes results. */
export type SubmissionForm = "GOT-10k" | "TrackingNet";

/**
 * Packs results for a server: GOT-10k wants `<sequence>/<sequence>_001.txt` for each repetition
 * (with `<sequence>_time.txt`, a column a repetition), TrackingNet `<sequence>.txt`.
 *
 * @returns A zip archive.
 */
export async function packSubmission(
  sequences: readonly SubmittedSequence[],
  form: SubmissionForm,
): Promise<Uint8Array> {
  // Loaded only here: scoring does without.
  const { strToU8, zip } = await import("fflate");
  const files: Zippable = {};
  for (const { name, runs, times } of sequences) {
    if (form === "TrackingNet") {
      files[`${name}.txt`] = strToU8(boxLines(runs[0], 2));
      continue;
    }
    runs.forEach((boxes, k) => {
      const number = String(k + 1).padStart(3, "0");
      files[`${name}/${name}_${number}.txt`] = strToU8(boxLines(boxes, 4));
    });
    files[`${name}/${name}_time.txt`] = strToU8(timeLines(times ?? [], runs[0].length));
  }
  return await new Promise((resolve, reject) =>
    zip(files, (error, archive) => error ? reject(error) : resolve(archive))
  );
}

function boxLines(boxes: readonly Ltwh[], digits: number): string {
  return boxes.map(({ x, y, w, h }) => [x, y, w, h].map((n) => n.toFixed(digits)).join(",") + "\n")
    .join("");
}

/** Times that are not known are 0, which the server takes as not measured. */
function timeLines(times: readonly (readonly number[])[], frames: number): string {
  return Array.from(
    { length: frames },
    (_, i) =>
      (times.length > 0 ? times : [[]]).map((run) => (run[i] ?? 0).toFixed(6)).join(",") + "\n",
  )
    .join("");
}

/**
 * Reads a tracker's raw results for a submission.
 *
 * @throws {ResultError} If a sequence's result is missing or malformed; every sequence must be there.
 */
export async function readSubmission(
  tracker: TrackerResults,
  sequences: readonly Sequence[],
): Promise<SubmittedSequence[]> {
  const submitted: SubmittedSequence[] = [];
  for (const sequence of sequences) {
    // The truth is but the first box; the pictures say how long a result must be.
    const frames = sequence.frames.length;
    const truth = frames > sequence.truth.length
      ? sequence.frames.map((_, i) => sequence.truth[i] ?? null)
      : sequence.truth;
    const lengths = frames === 0 ? "any" : "equal";
    const { runs } = tracker.read({ ...sequence, truth }, "ope", { lengths });
    const [first] = sequence.truth;
    submitted.push({
      name: sequence.name,
      runs: runs.map((run) => boxesOf(run, first ? enclosingBox(first) : undefined)),
      times: await tracker.readTimes(sequence),
    });
  }
  return submitted;
}

function boxesOf(run: Trajectory, first: Ltwh | undefined): Ltwh[] {
  return Array.from(run, (answer) => typeof answer === "number" ? first! : enclosingBox(answer));
}
