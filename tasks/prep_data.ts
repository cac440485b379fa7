/**
 * Prepares training data: `deno task prep-data --source synthetic --out demo`, or
 * `deno task prep-data --source PATH --format got10k|otb|vot|video [--boxes FILE] --out DIR`.
 */
import { parseArgs } from "@std/cli/parse-args";
import { prepare, type PrepareReport, TRACK_READERS, type TrackFormat } from "../mod.ts";
import { runTask } from "./run_task.ts";

const USAGE = `Usage: deno task prep-data --source synthetic|PATH --out DIR [options]
  --format FORM       form of PATH: ${Object.keys(TRACK_READERS).slice(1).join(", ")}
  --boxes FILE        boxes of a video or of a folder of pictures, a line a frame
  --val-every N       puts every N-th video into val.json
  --template-crops    also writes the 127 x 127 crops
  --quality N         of the JPEG files, 95
  --workers N         threads, one a core
  --videos N, --frames N, --seed N   of the synthetic source: 40, 40, 0
  --json              ends with one line of JSON`;

/** Runs the command; prints how far it is. */
export async function main(args: string[]): Promise<void> {
  const options = parseArgs(args, {
    string: ["source", "out", "format", "boxes", "val-every", "quality", "workers", "videos"]
      .concat("frames", "seed"),
    boolean: ["json", "template-crops", "help"],
    unknown: (option: string) => fail(`unknown argument "${option}"`),
  });
  if (options.help) return console.log(USAGE);
  const { source, out } = options;
  if (!source || !out) fail("--source and --out are needed");
  const number = (name: string) => numberOf(name, options[name]);
  const read = TRACK_READERS[formatOf(source, options.format)];
  const reading = { videos: number("videos"), frames: number("frames"), seed: number("seed") };
  const reports = prepare({
    tracks: () => read({ root: source, boxes: options.boxes, ...reading }),
    out,
    workers: number("workers"),
    quality: number("quality"),
    valEvery: number("val-every"),
    templateCrops: options["template-crops"],
  });
  let printed = 0;
  for await (const report of reports) {
    if (report.kind === "done") print(report, { out, json: options.json });
    else if (report.elapsedSeconds - printed >= 1) {
      printed = report.elapsedSeconds;
      console.log(progressLine(report));
    }
  }
}

function formatOf(source: string, format: string | undefined): TrackFormat {
  if (source === "synthetic" && !format) return "synthetic";
  if (format && Object.hasOwn(TRACK_READERS, format)) return format as TrackFormat;
  const names = Object.keys(TRACK_READERS).join(", ");
  return fail(`--format is ${format ? `"${format}"` : "missing"}, expected one of ${names}`);
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  return /^\d+$/.test(text)
    ? Number(text)
    : fail(`--${name} is "${text}", expected a whole number`);
}

function progressLine({ plan, counts, rate, etaSeconds }: PrepareReport): string {
  const percent = Math.floor(100 * counts.boxes / plan.boxes);
  return `${counts.boxes} / ${plan.boxes} boxes [${percent}%], ${rate.toFixed(0)} a second, ` +
    `${etaSeconds.toFixed(0)} s left, ${counts.quarantined} in quarantine`;
}

function print(report: PrepareReport, { out, json }: { out: string; json: boolean }): void {
  const { plan, counts, elapsedSeconds, rate, quarantine } = report;
  console.log(
    `${plan.boxes} boxes of ${plan.tracks} tracks in ${elapsedSeconds.toFixed(1)} s: ` +
      `${counts.written} crops written, ${counts.existing} were there, ` +
      `${counts.quarantined} in quarantine` +
      Object.entries(counts.refused).map(([reason, n]) => `, ${n} refused (${reason})`).join(""),
  );
  for (const { video, track, frame, reason } of quarantine.slice(0, 5)) {
    console.log(`  ${video} track ${track} frame ${frame}: ${reason}`);
  }
  if (quarantine.length > 0) console.log(`  All of them are in ${out}/quarantine.json`);
  console.log(`Crops: ${out}/crop511. Annotations: ${out}/train.json, ${out}/val.json`);
  if (json) console.log(JSON.stringify({ out, ...plan, ...counts, elapsedSeconds, rate }));
}

function fail(reason: string): never {
  throw new TypeError(`Cannot prepare data: ${reason}\n${USAGE}`);
}

if (import.meta.main) await runTask(main);
