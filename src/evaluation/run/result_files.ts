import { dirname, join } from "@std/path";
import { writeFileAtomically } from "../../weights/atomic_file.ts";
import { type Answer, numbersOf } from "../region.ts";
import { parseTrajectory, type ProtocolName, type RawResult } from "../results.ts";
import type { Followed } from "./follow.ts";

/** Where and how the results of a sequence are written. */
export interface ResultPlace {
  /** The tracker's folder. */
  readonly folder: string;
  readonly benchmark: string;
  readonly protocol: ProtocolName;
  /** Name of the sequence. */
  readonly sequence: string;
}

/** The file whose presence says that a sequence is finished. */
export function resultFile({ folder, benchmark, protocol, sequence }: ResultPlace): string {
  const run = `${sequence}_001.txt`;
  if (protocol === "restart") return join(folder, "baseline", sequence, run);
  if (protocol === "longTerm") return join(folder, "longterm", sequence, run);
  return benchmark === "GOT-10k" ? join(folder, sequence, run) : join(folder, `${sequence}.txt`);
}

/**
 * Writes a sequence's results in the raw form of pysot's tools: boxes, in the long-term protocol
 * confidences, and seconds a frame where their readers expect them. Each file is written whole or not
 * at all, the boxes last.
 *
 * @throws {Error} If the folder cannot be written.
 */
export async function writeResult(place: ResultPlace, followed: Followed): Promise<void> {
  const file = resultFile(place), folder = dirname(file);
  await Deno.mkdir(folder, { recursive: true });
  if (place.protocol === "longTerm") {
    const lines = followed.confidences.map(formatConfidence);
    await writeLines(file.replace(/\.txt$/, "_confidence.value"), lines);
  }
  if (place.protocol === "longTerm" || place.benchmark === "GOT-10k") {
    const lines = followed.seconds.map((value) => value.toFixed(6));
    await writeLines(join(folder, `${place.sequence}_time.txt`), lines);
  }
  await writeLines(file, formatTrajectory(followed.trajectory, place.protocol));
}

/** Answers, one a frame, as lines of their file. */
export function formatTrajectory(answers: Iterable<Answer>, protocol: ProtocolName): string[] {
  const digits = protocol === "restart" ? 4 : undefined;
  return Array.from(answers, (answer) => formatAnswer(answer, digits));
}

function formatConfidence(value: number): string {
  return Number.isNaN(value) ? "" : value.toFixed(6);
}

/** A result as one text: what its files hold, in some of which numbers are rounded. */
export function resultText({ runs, confidences }: RawResult, protocol: ProtocolName): string {
  return JSON.stringify({
    runs: runs.map((run) => formatTrajectory(run, protocol)),
    confidences: confidences?.map((values) => Array.from(values, formatConfidence)),
  });
}

/**
 * Reads what {@linkcode resultText} wrote.
 *
 * @throws {ResultError} If it is malformed.
 */
export function parseResultText(text: string, protocol: ProtocolName): RawResult {
  const { runs, confidences } = JSON.parse(text) as { runs: string[][]; confidences?: string[][] };
  return {
    runs: runs.map((lines) => parseTrajectory(bytesOf(lines), "result", protocol)),
    ...confidences && {
      confidences: confidences.map((lines) =>
        Float64Array.from(lines, (line) => line === "" ? NaN : Number(line))
      ),
    },
  };
}

async function writeLines(path: string, lines: readonly string[]): Promise<void> {
  await writeFileAtomically(path, [bytesOf(lines)]);
}

function bytesOf(lines: readonly string[]): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(lines.join("\n") + "\n");
}

/** @param digits After the point, of 32-bit floats as VOT's tools print them; all by default. */
function formatAnswer(answer: Answer, digits?: number): string {
  if (typeof answer === "number") return String(answer);
  return numbersOf(answer)
    .map((value) => digits === undefined ? String(value) : Math.fround(value).toFixed(digits))
    .join(",");
}
