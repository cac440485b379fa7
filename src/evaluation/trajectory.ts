/** Raw results as text or bytes: what a tracker answered, frame by frame. */
import { parseNumberRows } from "./number_rows.ts";
import { isPolygon, type Mark, type Region, toRegion, type Trajectory } from "./region.ts";
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
 * @throws {ResultError} If a line is something else; names it.
 */
export function parseTrajectory(text: string, name: string, protocol: ProtocolName): Trajectory {
  return asResult(() =>
    parseNumberRows(text, name).map((row, i) => {
      const place = () => `"${name}", line ${i + 1}`;
      const frame = row.length === 1 && isMark(row[0]) ? row[0] : toRegion(row);
      // Six numbers of one pass are not a triangle but a box with something beside it.
      if (frame === undefined || protocol === "ope" && row.length > 4 && row.length !== 8) {
        throw new SyntaxError(
          `Cannot read ${place()}: found ${row.length} numbers, ` +
            "expected 4 (left, top, width, height)",
        );
      }
      return checkFrame(frame, i, { place, protocol });
    })
  );
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
  return asResult(() =>
    parseVotBinary(bytes, name).map((frame, i) =>
      checkFrame(frame, i, { place: () => `"${name}", frame ${i + 1}`, protocol })
    )
  );
}

function asResult<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof SyntaxError) throw new ResultError(cause.message, { cause });
    throw cause;
  }
}

function isMark(number: number): number is Mark {
  return number === 0 || number === 1 || number === 2;
}

function checkFrame(
  frame: Region | Mark | null,
  i: number,
  { place, protocol }: { readonly place: () => string; readonly protocol: ProtocolName },
): Region | Mark {
  if (typeof frame === "object" && frame !== null) {
    if (!isFinite(frame)) {
      throw new SyntaxError(`Cannot read ${place()}: found a number that is not finite`);
    }
    if (isPolygon(frame) || frame.w >= 0 && frame.h >= 0) return frame;
    throw new SyntaxError(
      `Cannot read ${place()}: found the size ${frame.w} x ${frame.h}, expected none below 0`,
    );
  }
  if (protocol === "longTerm") return frame ?? 0;
  if (protocol === "ope" ? i === 0 && frame === 1 : frame !== null) return frame as Mark;
  throw new SyntaxError(
    protocol === "ope"
      ? `Cannot read ${place()}: found no box, expected one in every frame`
      : `Cannot read ${place()}: found NaN, expected a region, or 2 where the target is lost`,
  );
}

function isFinite(region: Region): boolean {
  if (isPolygon(region)) return region.points.every(Number.isFinite);
  return Number.isFinite(region.x + region.y + region.w + region.h);
}

/**
 * Checks that a run was made with restarts: that it starts, and starts again after each failure.
 *
 * @throws {ResultError} If it was not: its figures would look like others and mean something else.
 */
export function checkRestarts(run: Trajectory, name: string): void {
  const fail = (frame: number, found: string, expected: string) => {
    throw new ResultError(
      `Cannot score "${name}", line ${frame + 1}: found ${found}, expected ${expected} ` +
        "as in a run with restarts",
    );
  };
  if (run.length > 0 && run[0] !== 1) fail(0, describe(run[0]), "1 (start)");
  let isLost = false;
  run.forEach((frame, i) => {
    if (isLost && frame !== 0 && frame !== 1) fail(i, describe(frame), "1 (start) after a failure");
    isLost = frame === 2 || isLost && frame === 0;
  });
}

function describe(frame: Region | Mark): string {
  return typeof frame === "number" ? String(frame) : "a region";
}
