import { assertEquals } from "@std/assert";
import { TrackerResults } from "../../../src/evaluation/results.ts";
import {
  parseResultText,
  resultText,
  writeResult,
} from "../../../src/evaluation/run/result_files.ts";
import { Trajectory } from "../../../src/evaluation/trajectory.ts";
import { temporaryFolder } from "../../data/demo.ts";

const third = 1 / 3;
const box = { x: third, y: 100 * third, w: 7.00005, h: 1e3 * third };

Deno.test("parseResultText() is what is read of a result that was written", async () => {
  await using folder = await temporaryFolder();
  for (const protocol of ["ope", "restart", "longTerm"] as const) {
    const trajectory = [protocol === "ope" ? box : 1 as const, box, { ...box, x: -third }];
    const confidences = [NaN, third, 1e-9];
    const place = { folder: folder.path, benchmark: "X", protocol, sequence: protocol };
    await writeResult(place, { trajectory, confidences, seconds: [1, 1, 1] });
    const truth = trajectory.map(() => box);
    const read = new TrackerResults(folder.path)
      .read({ name: protocol, frames: [], truth, attributes: [] }, protocol);
    const raw = {
      runs: [Trajectory.of(trajectory)],
      ...protocol === "longTerm" ? { confidences: [Float64Array.from(confidences)] } : {},
    };
    assertEquals(parseResultText(resultText(raw, protocol), protocol), read, protocol);
  }
});
