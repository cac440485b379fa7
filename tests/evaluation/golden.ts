/** Golden figures of the reference toolkit, and real results where they are at hand. */
import { type Mark, toRegion } from "../../src/evaluation/region.ts";
import { Trajectory } from "../../src/evaluation/trajectory.ts";

/** Reads a golden file; words that stand for numbers become numbers. */
export function readGolden(name: string) {
  const url = new URL(`../fixtures/eval/${name}.json`, import.meta.url);
  return JSON.parse(
    Deno.readTextFileSync(url),
    (_, value) => ["NaN", "Infinity", "-Infinity"].includes(value) ? Number(value) : value,
  );
}

/** Rows of a run as a trajectory: marks and regions. */
export function toTrajectory(rows: readonly (readonly number[])[]): Trajectory {
  return Trajectory.of(rows.map((row) => row.length === 1 ? row[0] as Mark : toRegion(row)!));
}

/** The folder of real data; undefined where this checkout has none. */
export const realData: string | undefined = (() => {
  const folder = new URL("../../../shared/realdata", import.meta.url).pathname;
  try {
    Deno.statSync(folder);
    return folder;
  } catch {
    return undefined;
  }
})();
