/** `prep-data --source …`: raw data to crops and annotations. */
import { parseArgs } from "@std/cli/parse-args";
import { resolve } from "@std/path";
import {
  annotationNames,
  jpegDecoderName,
  prepare,
  type PrepareReport,
  TRACK_READERS,
  type TrackFormat,
} from "../../mod.ts";
import { formatBytes, formatOf, formatSeconds, numberOf } from "./source.ts";

const USAGE = `Usage: deno task prep-data --source DIR|FILE|synthetic --out DIR [options]
       deno task prep-data inspect DIR [--format FORM] [--json]
       deno task prep-data verify DIR [--workers N] [--contact-sheet FILE] [--json]
  --format FORM       form of the source, if it is not plain:
                      ${Object.keys(TRACK_READERS).slice(1).join(", ")}
  --boxes FILE|DIR    boxes that do not lie beside the pictures
  --val-every N       puts every N-th video into val.json
  --skip-flagged      leaves out boxes that the set flags: occluded, out of view, crowds, difficult
  --as-published      does what the published scripts do, with their faults
  --pack              packs the crops into tar files with an index
  --template-crops    also writes the 127 x 127 crops
  --quality N         of the JPEG files, 95
  --workers N         threads, one a core
  --videos N, --frames N, --seed N   of the synthetic source: 40, 40, 0
  --json              ends with one line of JSON`;

const TEXTS = ["source", "out", "format", "boxes", "val-every", "quality", "workers", "videos"]
  .concat("frames", "seed");
const SWITCHES = ["json", "template-crops", "help", "pack", "as-published", "skip-flagged"];

const WITHOUT_TURBO =
  "libjpeg-turbo is missing: JPEG is read and written in TypeScript, slowly, and " +
  'pixels differ a little from the published ones; "deno task build --install" installs it';

/** Runs the command; prints how far it is. */
export async function main(args: string[]): Promise<void> {
  const options = parseArgs(args, {
    string: TEXTS,
    boolean: SWITCHES,
    unknown: (option: string) => fail(`unknown argument "${option}"`),
  });
  if (options.help) return console.log(USAGE);
  const { source, out, json } = options;
  if (!source || !out) fail("--source and --out are needed");
  const number = (name: string) => numberOf(name, options[name]);
  const size = { videos: number("videos"), frames: number("frames"), seed: number("seed") };
  const format: TrackFormat = await formatOf(source, options.format);
  const asPublished = options["as-published"];
  const reading = {
    root: source === "synthetic" ? source : resolve(source),
    ...options.boxes === undefined ? {} : { boxes: resolve(options.boxes) },
    ...asPublished ? { asPublished } : {},
    ...options["skip-flagged"] ? { skipFlagged: true } : {},
    ...size,
  };
  const reports = prepare({
    tracks: () => TRACK_READERS[format](reading),
    source: { format, ...reading },
    out,
    workers: number("workers"),
    quality: number("quality"),
    valEvery: number("val-every"),
    templateCrops: options["template-crops"] || undefined,
    pack: options.pack,
    asPublished,
    annotationNames: await annotationNames(format, reading),
  });
  if (jpegDecoderName() !== "libjpeg-turbo") console.log(WITHOUT_TURBO);
  let printed = -1;
  for await (const report of reports) {
    if (report.kind === "done") print(report, { out, format, json });
    else if (report.elapsedSeconds - printed >= 1 || report.elapsedSeconds < printed) {
      printed = report.elapsedSeconds;
      console.log(progressLine(report));
    }
  }
}

function progressLine({ kind, plan, counts, rate, etaSeconds }: PrepareReport): string {
  if (kind === "waiting") return "Waiting: another preparation is at work in this folder";
  if (kind === "reading") return `Reading annotations: ${plan.tracks} tracks, ${plan.boxes} boxes`;
  const percent = Math.floor(100 * counts.boxes / plan.boxes);
  return `${counts.boxes} / ${plan.boxes} boxes [${percent}%], ${rate.toFixed(0)} a second, ` +
    `${formatSeconds(etaSeconds)} left, ${counts.quarantined} in quarantine`;
}

function print(
  report: PrepareReport,
  { out, format, json }: { out: string; format: TrackFormat; json: boolean },
): void {
  const { plan, counts, elapsedSeconds, rate, quarantine, annotations } = report;
  const refused = Object.entries(counts.refused);
  console.log(
    `${plan.boxes} boxes of ${plan.tracks} tracks in ${formatSeconds(elapsedSeconds)}: ` +
      `${counts.written} crops written, ${counts.existing} were there, ` +
      `${refused.reduce((sum, [, n]) => sum + n, 0)} refused, ${counts.quarantined} in quarantine`,
  );
  for (const [reason, n] of refused) console.log(`  ${n} refused: ${reason}`);
  if (counts.faults > 0) console.log(`  ${counts.faults} raw files or rows cannot be read`);
  for (const { file, video, track, frame, reason } of quarantine.slice(0, 5)) {
    const where = video === undefined ? "" : ` (${video} track ${track} frame ${frame})`;
    console.log(`  ${file}${where}: ${reason}`);
  }
  if (quarantine.length > 0) console.log(`  All of them are in ${out}/quarantine.json`);
  console.log(
    `Crops: ${out}/crop511, ${formatBytes(report.bytes)}. Annotations: ${
      annotations.map((name) => `${out}/${name}.json`).join(", ")
    }`,
  );
  const { written, existing, quarantined, faults } = counts;
  const sums = { boxes: counts.boxes, written, existing, refused: counts.refused, quarantined };
  if (json) {
    console.log(JSON.stringify({ out, format, ...plan, ...sums, faults, elapsedSeconds, rate }));
  }
}

function fail(reason: string): never {
  throw new TypeError(`Cannot prepare data: ${reason}\n${USAGE}`);
}
