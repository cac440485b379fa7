/**
 * Tracks a target through a video, a folder of pictures, a camera or a benchmark's sequence:
 * `deno task track bag.avi --box 334,128,109,101 --config configs/nanotrack_v3.ts --weights nanotrackv3.pth`.
 */
import { parseArgs } from "@std/cli/parse-args";
import {
  buildTracker,
  type Image,
  LiveView,
  loadExperiment,
  type Ltwh,
  openTrained,
  type Tracker,
  trackFrames,
  TrackRecorder,
  useBackend,
} from "../mod.ts";
import { runTask } from "./run_task.ts";
import { tellDecoder } from "./tell_decoder.ts";
import { type FrameSource, openSource, parseBox } from "./track/source.ts";

const USAGE = `Usage: deno task track SOURCE --config FILE --weights FILE [options]
  SOURCE             video, folder of pictures, /dev/videoN, camera for the first of these, or instead
  --benchmark NAME   with --annotations PATH and --sequence NAME: a benchmark's sequence
  --config FILE      experiment of the tracker
  --weights FILE     checkpoint, .pth or .safetensors
  --box X,Y,W,H      target in the first frame, pixels from 0
  --box-file FILE    the same from a file's first line, also as a polygon
                     without either it is drawn with the mouse in the view
  --view             shows frames and boxes in the browser, on this machine only
  --port N           of the view; any that is free
  --boxes FILE       writes boxes: .json, or lines of x,y,w,h
  --video FILE       writes a video with boxes drawn (.mp4, .avi, …)
  --gif FILE, --png FILE  writes a moving picture, and some frames side by side
  --frames N         stops after N frames
  --set KEY=VALUE    changes a setting, such as tracking.penaltyK=0.1; may be repeated
  --device NAME      auto, onednn or reference
  --threads N        CPU threads of the native kernels; all cores
  --json             ends with one line of JSON`;

const TEXTS = [
  "benchmark",
  "annotations",
  "sequence",
  "config",
  "weights",
  "box",
  "box-file",
  "port",
  "boxes",
  "video",
  "gif",
  "png",
  "frames",
  "device",
  "threads",
] as const;

/** Runs the command. */
export async function main(args: string[]): Promise<void> {
  const options = parseArgs(args, {
    string: [...TEXTS, "set"],
    boolean: ["view", "json", "help"],
    collect: ["set"],
    unknown: (option: string, key?: string) =>
      key === undefined || fail(`unknown option ${option}`),
  });
  if (options.help) return console.log(USAGE);
  const empty = TEXTS.find((name) => options[name] === "");
  if (empty) fail(`--${empty} is without a value`);
  const [path, ...others] = options._.map(String);
  if (others.length > 0) fail(`one source is enough, but ${others.join(", ")} is named too`);
  const { config: file = fail("--config is missing"), weights = fail("--weights is missing") } =
    options;
  const given = await givenBox(options);
  const { benchmark, annotations, sequence } = options;
  if (!path && !benchmark) fail("a source is missing");

  const overrides = [...options.set as string[]];
  for (const key of ["device", "threads"] as const) {
    if (options[key]) overrides.push(`training.${key}=${options[key]}`);
  }
  const { config, ignored } = await loadExperiment(file, { overrides });
  for (const reason of ignored) console.log(`Ignored: ${reason}`);
  const source = await openSource({ path, benchmark, annotations, sequence });
  // A video has a rate, pictures have none.
  if (source.framesPerSecond === undefined) tellDecoder();
  const { training } = config;
  await using backend = await useBackend(training.device, training);
  console.log(`Backend: ${backend.name}${backend.note ? ` (slow). ${backend.note}` : ""}`);
  using model = await openTrained(config, weights);
  using tracker = buildTracker(model, config);

  const box = given ?? source.box;
  const view = options.view || !box
    ? new LiveView({ port: numberOf(options.port, "port") ?? 0 })
    : undefined;
  if (view) console.log(`View: ${view.url}`);
  await using _view = view;
  await using recorder = new TrackRecorder({ ...source, ...options });
  const most = numberOf(options.frames, "frames") ?? Infinity;
  const figures = await follow({ tracker, source, box, view, recorder, most });
  const files = await recorder.close();
  for (const file of files) console.log(`Wrote ${file}`);
  console.log(
    `${source.name}: ${figures.frames} frames, ${
      figures.tracking.toFixed(1)
    } frames/s of tracking, ` +
      `${figures.all.toFixed(1)} with decoding and output, mean score ${figures.score.toFixed(3)}`,
  );
  if (options.json) {
    const { frames, tracking, all, score } = figures;
    const framesPerSecond = { tracking, all };
    console.log(
      JSON.stringify({
        source: source.name,
        frames,
        framesPerSecond,
        score,
        files,
        box: figures.box,
      }),
    );
  }
}

interface Following {
  readonly tracker: Tracker;
  readonly source: FrameSource;
  readonly box?: Ltwh;
  readonly view?: LiveView;
  readonly recorder: TrackRecorder;
  /** Frames after which it ends. */
  readonly most: number;
}

/** Figures of a run: frames a second of the tracker alone and of everything, mean score. */
async function follow({ tracker, source, box, view, recorder, most }: Following) {
  let frames = 0, trackedMs = 0, scores = 0, last: Ltwh | undefined;
  using interrupt = new Interrupt();
  const { value: first, done } = await source.frames.next();
  if (done) throw new RangeError(`Cannot track "${source.name}": it has no frames`);
  const start = box ?? await drawn(view!, first, interrupt);
  const began = performance.now();
  for await (const tracked of trackFrames(tracker, chain(first, source.frames), start)) {
    // The first frame is learnt, not tracked.
    if (frames > 0) {
      trackedMs += tracked.elapsedMs;
      scores += tracked.score;
    }
    const framesPerSecond = frames > 0 ? 1000 * frames / trackedMs : 0;
    await view?.show({ ...tracked, index: frames, framesPerSecond });
    await recorder.write(tracked);
    last = tracked.box;
    // Lets the view's server have its turn, and a signal arrive.
    if (view) await new Promise((resolve) => setTimeout(resolve));
    if (++frames >= most || interrupt.raised) break;
  }
  view?.end(frames);
  const tracked = frames - 1;
  return {
    frames,
    tracking: tracked > 0 ? 1000 * tracked / trackedMs : 0,
    all: 1000 * frames / (performance.now() - began),
    score: tracked > 0 ? scores / tracked : 1,
    box: last && [last.x, last.y, last.w, last.h],
  };
}

async function drawn(view: LiveView, frame: Image, interrupt: Interrupt): Promise<Ltwh> {
  console.log(`Draw the target in the browser: ${view.url}`);
  const box = await Promise.race([view.choose(frame), interrupt.promise]);
  if (!box) throw new Error("Cannot track: interrupted before a box was drawn");
  const { x, y, w, h } = box;
  console.log(`Box: ${[x, y, w, h].map((value) => value.toFixed(1)).join()}`);
  return box;
}

async function* chain(first: Image, others: AsyncGenerator<Image>): AsyncGenerator<Image> {
  yield first;
  yield* others;
}

/** The first Ctrl-C ends the tracking, so that files are whole; a second one the program. */
class Interrupt implements Disposable {
  raised = false;
  readonly promise: Promise<undefined>;
  readonly #listener: () => void;

  constructor() {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.promise = promise;
    this.#listener = () => {
      this.raised = true;
      resolve(undefined);
      this[Symbol.dispose]();
    };
    Deno.addSignalListener("SIGINT", this.#listener);
  }

  [Symbol.dispose](): void {
    Deno.removeSignalListener("SIGINT", this.#listener);
  }
}

async function givenBox(options: Readonly<Record<string, unknown>>): Promise<Ltwh | undefined> {
  if (options.box) return parseBox(String(options.box), "--box");
  const file = options["box-file"];
  if (!file) return undefined;
  return parseBox(await Deno.readTextFile(String(file)), `"${file}"`);
}

function numberOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isInteger(value) && value >= (name === "port" ? 0 : 1)) return value;
  fail(`--${name} is "${text}", expected a whole number`);
}

function fail(reason: string): never {
  throw new TypeError(`Cannot track: ${reason}\n${USAGE}`);
}

if (import.meta.main) await runTask(main);
