/** Raw results as text or bytes: what a tracker answered, frame by frame. */
import { type NumberRows, NumberRowsBuilder, parseNumberRows } from "./number_rows.ts";
import { Trajectory } from "./trajectory.ts";
import { parseVotBinary } from "./vot_binary.ts";

/** How a tracker was run, which decides where its results lie and what they hold. */
export type ProtocolName = "ope" | "restart" | "longTerm";

/** A result that is missing or cannot be read; the message says which and why. */
export class ResultError extends Error {
  override name = "ResultError";
}

/**
 * Parses a result file: a line a frame, a box of 4 numbers or a polygon of more. A single number is
 * a mark: 1 start, 2 failure, 0 no answer. In one pass every frame but the first needs a box.
 *
 * @param bytes Of the file.
 * @throws {ResultError} If a line is something else; names it.
 */
export function parseTrajectory(
  bytes: Uint8Array,
  name: string,
  protocol: ProtocolName,
): Trajectory {
  return asResult(() => toTrajectory(parseNumberRows(bytes, name), `"${name}", line`, protocol));
}

/**
 * {@linkcode parseTrajectory} of the VOT toolkit's binary form.
 *
 * @throws {ResultError} If it is damaged.
 */
export function parseBinaryTrajectory(
  bytes: Uint8Array,
  name: string,
  protocol: ProtocolName,
): Trajectory {
  return asResult(() => toTrajectory(parseVotBinary(bytes, name), `"${name}", frame`, protocol));
}

function asResult<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new ResultError(cause.message, { cause });
    throw cause;
  }
}

/** @param place What the number of a row follows in messages. */
function toTrajectory(rows: NumberRows, place: string, protocol: ProtocolName): Trajectory {
  let hasGaps = false;
  for (let i = 0; i < rows.length; i++) {
    if (protocol === "longTerm" && isGap(rows, i)) {
      hasGaps = true;
      continue;
    }
    const fault = faultOf(rows, i, protocol);
    if (fault) throw new SyntaxError(`Cannot read ${place} ${i + 1}: ${fault}`);
  }
  return new Trajectory(hasGaps ? fillGaps(rows) : rows);
}

/** Whether a row has the numbers of a region, but not all of them known. */
function isGap(rows: NumberRows, i: number): boolean {
  const start = rows.start(i), end = rows.end(i);
  return isRegionLength(end - start) && rows.numbers.subarray(start, end).some(Number.isNaN);
}

function isRegionLength(count: number): boolean {
  return count >= 4 && count % 2 === 0;
}

/** Rows with the mark 0 where the target was not found. */
function fillGaps(rows: NumberRows): NumberRows {
  const filled = new NumberRowsBuilder();
  for (let i = 0; i < rows.length; i++) filled.push(isGap(rows, i) ? [0] : rows.row(i));
  return filled.build();
}

/** Why a row is no answer; undefined if it is one. */
function faultOf(rows: NumberRows, i: number, protocol: ProtocolName): string | undefined {
  const { numbers } = rows, start = rows.start(i), end = rows.end(i), count = end - start;
  if (count === 1 && isMark(numbers[start])) {
    const isAllowed = protocol !== "ope" || i === 0 && numbers[start] === 1;
    return isAllowed ? undefined : NO_BOX;
  }
  // Six numbers of one pass are not a triangle but a box with something beside it.
  if (!isRegionLength(count) || protocol === "ope" && count > 4 && count !== 8) {
    return `found ${count} numbers, expected 4 (left, top, width, height)`;
  }
  for (let k = start; k < end; k++) {
    if (Number.isFinite(numbers[k])) continue;
    if (!isGap(rows, i)) return "found a number that is not finite";
    if (protocol === "ope") return NO_BOX;
    return "found NaN, expected a region, or 2 where the target is lost";
  }
  const w = numbers[start + 2], h = numbers[start + 3];
  if (count > 4 || w >= 0 && h >= 0) return undefined;
  return `found the size ${w} x ${h}, expected none below 0`;
}

const NO_BOX = "found no box, expected one in every frame";

function isMark(number: number): boolean {
  return number === 0 || number === 1 || number === 2;
}

/**
 * Checks that a run was made with restarts: that it starts, and starts again after each failure.
 *
 * @throws {ResultError} If it was not: its figures would look like others and mean something else.
 */
export function checkRestarts(run: Trajectory, name: string): void {
  const fail = (frame: number, expected: string) => {
    throw new ResultError(
      `Cannot score "${name}", line ${frame + 1}: found ${run.markAt(frame) ?? "a region"}, ` +
        `expected ${expected} as in a run with restarts`,
    );
  };
  if (run.length > 0 && run.markAt(0) !== 1) fail(0, "1 (start)");
  let isLost = false;
  for (let i = 0; i < run.length; i++) {
    const mark = run.markAt(i);
    if (isLost && mark !== 0 && mark !== 1) fail(i, "1 (start) after a failure");
    isLost = mark === 2 || isLost && mark === 0;
  }
}
