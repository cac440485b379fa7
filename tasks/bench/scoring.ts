/** Times the scoring of VOT results, and pysot's toolkit beside it where there is a built one. */
import { Rng } from "../../mod.ts";
import { readSystemFile } from "../../src/ffi/system_file.ts";
import { runInOwnProcess } from "./own_process.ts";

const SEQUENCES = 60, FRAMES = 356, TRACKERS = 6;
const WIDTH = 640, HEIGHT = 480;

/** The figures that both give. */
const FIGURES = ["accuracy", "lost_number", "eao"] as const;

/** What a process found. */
interface Outcome extends ScoringSeconds {
  readonly trackers: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/** What scoring takes; that of the processor differs less from run to run. */
interface ScoringSeconds {
  /** By the clock, start included. */
  readonly clock: number;
  /** Of the processor, start included. */
  readonly seconds: number;
  /** Of the processor, for scoring once more in the same process. */
  readonly again: number;
}

/** What scoring all trackers takes. */
export interface ScoringTimes {
  readonly trackers: number;
  readonly ours: ScoringSeconds;
  /** The toolkit's; undefined without one. */
  readonly peer?: ScoringSeconds;
  /** The largest difference between the figures of both. */
  readonly difference?: number;
}

/**
 * Scores `VOT2018.json` and `results/VOT2018` of a folder: ours by the command as a person runs it.
 *
 * @param toolkit A clone of pysot whose extension is built.
 * @throws {Error} If one of them cannot be scored.
 */
export async function timeScoring(root: string, toolkit?: string): Promise<ScoringTimes> {
  const annotations = `${root}/VOT2018.json`, results = `${root}/results/VOT2018`;
  const ours = await runCommand(annotations, results);
  const trackers = Object.keys(ours.trackers).length;
  if (!toolkit) return { trackers, ours };
  const python = Deno.env.get("PYTHON") ?? "/usr/bin/python3";
  const args = [pathOf("./scoring_peer.py"), toolkit, annotations, results, `${Date.now() / 1000}`];
  const peer: Outcome = JSON.parse(await run(python, args));
  const differences = Object.entries(peer.trackers).flatMap(([name, figures]) =>
    FIGURES.map((figure) => Math.abs(figures[figure] - ours.trackers[name][figure]))
  );
  const difference = Math.max(...differences);
  return { trackers, ours, peer, difference };
}

async function runCommand(annotations: string, results: string): Promise<Outcome> {
  const files = ["--annotations", annotations, "--results", results];
  const task = ["task", "--quiet", "--config", pathOf("../../deno.json"), "evaluate", "score"];
  const before = childrenSeconds(), start = performance.now();
  const output = await run("deno", [...task, "--benchmark", "VOT2018", ...files, "--json"]);
  const seconds = childrenSeconds() - before, clock = (performance.now() - start) / 1000;
  const { trackers } = JSON.parse(output.trimEnd().split("\n").at(-1)!);
  const again = await runInOwnProcess<number>("./score_again.ts", [annotations, results]);
  return { clock, seconds, again, trackers };
}

/** Processor time of all programs run from here that have ended, in hundredths (proc(5)); else NaN. */
function childrenSeconds(): number {
  const stat = readSystemFile("/proc/self/stat") ?? "";
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

function pathOf(file: string): string {
  return new URL(file, import.meta.url).pathname;
}

async function run(program: string, args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(`Cannot score with ${program}: ${new TextDecoder().decode(stderr)}`);
}

/** Draws a set like VOT2018: polygons that wander, and trackers that follow and lose them. */
export async function drawResults(root: string): Promise<void> {
  const annotations: Record<string, unknown> = {};
  for (let index = 0; index < SEQUENCES; index++) {
    const name = `sequence${index}`, rng = new Rng(1, index);
    const truth = drawTruth(rng);
    annotations[name] = { gt_rect: truth, width: WIDTH, height: HEIGHT };
    for (let tracker = 0; tracker < TRACKERS; tracker++) {
      const folder = `${root}/results/VOT2018/tracker${tracker}/baseline/${name}`;
      await Deno.mkdir(folder, { recursive: true });
      await Deno.writeTextFile(`${folder}/${name}_001.txt`, drawRun(truth, tracker, rng));
    }
  }
  await Deno.writeTextFile(`${root}/VOT2018.json`, JSON.stringify(annotations));
}

function drawTruth(rng: Rng): number[][] {
  let x = WIDTH * (0.3 + 0.4 * rng.uniform()), y = HEIGHT * (0.3 + 0.4 * rng.uniform());
  const w = 30 + 60 * rng.uniform(), h = 30 + 60 * rng.uniform(), tilt = 20 * rng.uniform();
  return Array.from({ length: FRAMES }, () => {
    x += 6 * (rng.uniform() - 0.5);
    y += 6 * (rng.uniform() - 0.5);
    const corners = [x - w, y - h, x + w - tilt, y - h + tilt, x + w, y + h, x - w + tilt, y + h];
    return corners.map((value) => Number(value.toFixed(2)));
  });
}

/** A later tracker follows less closely and fails more often. */
function drawRun(truth: readonly number[][], tracker: number, rng: Rng): string {
  let start = 0;
  const lines = truth.map(([x, y, , , right, bottom], i) => {
    if (i <= start) return i === start ? "1" : "0";
    if (rng.uniform() < 0.001 * (tracker + 1)) {
      start = i + 5;
      return "2";
    }
    const off = () => 5 * (tracker + 1) * (rng.uniform() - 0.5);
    return [x + off(), y + off(), right - x, bottom - y].map((value) => value.toFixed(4)).join(",");
  });
  return `${lines.join("\n")}\n`;
}
