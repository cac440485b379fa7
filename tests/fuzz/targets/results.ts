import { numbersOf } from "../../../src/evaluation/region.ts";
import { readPysotJson } from "../../../src/evaluation/benchmarks/pysot_json.ts";
import { type ProtocolName, ResultError } from "../../../src/evaluation/results.ts";
import {
  parseBinaryTrajectory,
  parseTrajectory,
} from "../../../src/evaluation/parse_trajectory.ts";
import type { Trajectory } from "../../../src/evaluation/trajectory.ts";
import { join } from "@std/path";
import { bytesOfText, demand, type Target } from "../target.ts";

const PROTOCOLS: readonly ProtocolName[] = ["ope", "restart", "longTerm"];

function checkRun(run: Trajectory): void {
  for (const frame of run) {
    if (typeof frame === "number") demand([0, 1, 2].includes(frame), "a known mark");
    else {
      const numbers = numbersOf(frame);
      demand(numbers.length >= 4 && numbers.every(Number.isFinite), "finite numbers");
    }
  }
}

/** Every way of reading; what one refuses another may take. */
function inEachProtocol(parse: (protocol: ProtocolName) => Trajectory): void {
  let refusal: unknown, parsed = 0;
  for (const protocol of PROTOCOLS) {
    try {
      checkRun(parse(protocol));
      parsed++;
    } catch (error) {
      if (!(error instanceof ResultError)) throw error;
      refusal = error;
    }
  }
  if (parsed === 0) throw refusal;
}

const rawText: Target = {
  name: "raw-results",
  corpus: () => [
    bytesOfText("1,2,3,4\n1.5,2.25,3,4\n-1,2,3,4e1\n"),
    bytesOfText("1\n1.0000,2.0000,3.0000,4.0000\n2\n0\n0\n1\n1,2,3,2,3,4,1,4\n"),
    bytesOfText("1 2\t3;4\nnan,nan,nan,nan\n"),
  ],
  run: (bytes) => inEachProtocol((protocol) => parseTrajectory(bytes, "a.txt", protocol)),
  allowedErrors: [ResultError],
  dictionary: ["nan", "inf", "-Infinity", "1e400", ",,", "\r\n", "\n\n", "0x1F"],
};

function binary(): Uint8Array<ArrayBuffer> {
  const view = new DataView(new ArrayBuffer(6 + 5 + 17 + 27 + 5));
  view.setInt16(0, 1, true);
  view.setUint32(2, 4, true);
  view.setUint32(7, 1, true);
  view.setUint8(11, 1);
  [1, 2, 3, 4].forEach((number, i) => view.setFloat32(12 + 4 * i, number, true));
  view.setUint8(28, 2);
  view.setUint16(29, 3, true);
  [1, 2, 3, 4, 5, 7].forEach((number, i) => view.setFloat32(31 + 4 * i, number, true));
  view.setUint32(56, 2, true);
  return new Uint8Array(view.buffer);
}

const rawBinary: Target = {
  name: "raw-results-binary",
  corpus: () => [binary()],
  run: (bytes) => inEachProtocol((protocol) => parseBinaryTrajectory(bytes, "a.bin", protocol)),
  allowedErrors: [ResultError],
};

const DATASET = JSON.stringify({
  cat: {
    video_dir: "cat",
    init_rect: [1, 2, 3, 4],
    img_names: ["cat/1.jpg", "cat/2.jpg"],
    gt_rect: [[1, 2, 3, 4], [1, 2, 3, 2, 3, 4, 1, 4]],
    attr: ["OCC"],
    width: 640,
    height: 480,
    occlusion: [0, 1],
  },
});

const datasetJson: Target = {
  name: "dataset-json",
  corpus: () => [bytesOfText(DATASET)],
  async run(bytes, folder) {
    const path = join(folder, "UAV123.json");
    await Deno.writeFile(path, bytes);
    let refused = 0, sequences = 0;
    for await (const entry of readPysotJson(path)) {
      sequences++;
      if (entry.kind === "sequence") {
        const { truth, frames } = entry.sequence;
        demand(truth.every((box) => box === null || typeof box === "object"), "boxes");
        demand(frames.every((frame) => typeof frame === "string"), "paths");
      } else refused++;
    }
    if (refused > 0 && refused === sequences) throw new SyntaxError("every sequence is refused");
  },
  allowedErrors: [SyntaxError],
  dictionary: ["NaN", "Infinity", "null", '"__proto__":', "[[1]]", '"gt_rect":'],
};

export const RESULT_TARGETS = [rawText, rawBinary, datasetJson];
