import { parseArgs } from "@std/cli/parse-args";
import { CONVENTIONS, METHODS, parseDimension, type Setting, type Space } from "../../mod.ts";

/** How the command is called. */
export const USAGE =
  `Usage: deno task tune --config FILE --weights FILE --benchmark NAME --annotations PATH [options]
  --config FILE        experiment of the tracker
  --weights FILE       checkpoint, .pth or .safetensors
  --benchmark NAME     what settings are scored on
  --annotations PATH   the benchmark's folder with its pictures, or pysot-style annotations beside them
  --sequences A,B      only these
  --range NAME=RANGE   a setting of tracking with its values: LOW:HIGH, LOW:HIGH:STEP, log:LOW:HIGH
                       or A,B,C; may be repeated; penaltyK, windowInfluence and scaleLr by default
  --measure KEY        figure that is searched for; the one that ranks trackers on the benchmark
  --convention NAME    ${Object.keys(CONVENTIONS).join(", ")}; that of the published figures
  --method NAME        ${METHODS.join(", ")}
  --trials N           settings in all, 60; a grid has as many as its points
  --grid-points N      values of a range in a grid, 5
  --study FILE         what remembers everything, tune.sqlite; several programs may work on it at once
  --seed N             start of the random stream, 1
  --side-by-side N     settings tracked at once, 8
  --batch N            searches that go through the network at once, at most, 8
  --lease SECONDS      silence after which another program takes over, 120
  --set KEY=VALUE      changes a setting of the experiment; may be repeated
  --device NAME, --threads N
  --plots DIR          draws what mattered as SVG and PNG
  --json               ends with one line of JSON`;

/** What is searched when nothing is said. */
const RANGES = ["penaltyK=0:0.6", "windowInfluence=0:0.7", "scaleLr=0.01:1"];

/** Other names of settings. */
const ALIASES: Readonly<Record<string, string>> = {
  lr: "scaleLr",
  "TRACK.LR": "scaleLr",
  "TRACK.PENALTY_K": "penaltyK",
  "TRACK.WINDOW_INFLUENCE": "windowInfluence",
};

/** What the command line says. */
export type Options = ReturnType<typeof readOptions>;

/**
 * Reads the command line.
 *
 * @throws {TypeError} If it is wrong.
 */
export function readOptions(args: string[]) {
  const options = parseArgs(args, {
    string: [
      ..."config weights benchmark annotations sequences range measure convention method trials"
        .split(" "),
      ..."grid-points study seed side-by-side batch lease set device threads plots".split(" "),
    ],
    boolean: ["json", "help"],
    collect: ["range", "set"],
    default: { method: "tpe", study: "tune.sqlite" },
    unknown: (option: string) => fail(`unknown option ${option}`),
  }) as Record<string, unknown>;
  const text = (name: string) => typeof options[name] === "string" ? options[name] : undefined;
  const needed = (name: string) => options.help ? "" : text(name) || fail(`--${name} is missing`);
  const whole = (name: string, byDefault: number) => {
    const value = Number(text(name) ?? byDefault);
    return Number.isInteger(value) && value > 0 ? value : fail(`--${name} is "${text(name)}"`);
  };
  const overrides = [...options.set as string[]];
  for (const key of ["device", "threads"]) {
    if (text(key)) overrides.push(`training.${key}=${text(key)}`);
  }
  const method = METHODS.find((name) => name === options.method) ??
    fail(`--method is "${options.method}", expected ${METHODS.join(", ")}`);
  const ranges = options.range as string[];
  return {
    help: options.help === true,
    json: options.json === true,
    config: needed("config"),
    weights: needed("weights"),
    benchmark: needed("benchmark"),
    annotations: needed("annotations"),
    sequences: text("sequences")?.split(",").map((name) => name.trim()),
    measure: text("measure"),
    convention: text("convention"),
    space: spaceOf(ranges.length > 0 ? ranges : RANGES),
    method,
    trials: whole("trials", method === "grid" ? Number.MAX_SAFE_INTEGER : 60),
    gridPoints: whole("grid-points", 5),
    study: text("study")!,
    seed: whole("seed", 1),
    sideBySide: whole("side-by-side", 8),
    batch: whole("batch", 8),
    lease: whole("lease", 120),
    plots: text("plots"),
    overrides,
  };
}

function spaceOf(ranges: readonly string[]): Space {
  const space = ranges.map((range) => {
    const [name] = range.replace(/^tracking\./, "").split("=");
    return parseDimension(`${ALIASES[name] ?? name}${range.slice(range.indexOf("="))}`);
  });
  const twice = space.find(({ name }, i) => space.some((other, k) => k < i && other.name === name));
  if (twice) fail(`--range names ${twice.name} twice`);
  return space;
}

/** A setting as overrides of the experiment. */
export function overridesOf(values: Setting): string[] {
  return Object.entries(values).map(([name, value]) => `tracking.${name}=${value}`);
}

/** Ends the command. */
export function fail(reason: string): never {
  throw new TypeError(`Cannot search: ${reason}\n${USAGE}`);
}
