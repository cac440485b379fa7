/** `prep-data inspect DIR`: what lies in a folder of raw data. */
import { parseArgs } from "@std/cli/parse-args";
import { inspectRaw, type RawInventory } from "../../mod.ts";
import { formatBytes, formatOf } from "./source.ts";

const USAGE = `Usage: deno task prep-data inspect DIR [--format FORM] [--boxes FILE|DIR] [--json]`;

/** Runs the command. */
export async function main(args: string[]): Promise<void> {
  const options = parseArgs(args, { string: ["format", "boxes", "_"], boolean: ["json", "help"] });
  if (options.help) return console.log(USAGE);
  const [root, ...others] = options._ as string[];
  if (root === undefined || others.length > 0) {
    throw new TypeError(`Cannot inspect: one folder is needed\n${USAGE}`);
  }
  const format = await formatOf(root, options.format);
  const found = await inspectRaw(format, { root, boxes: options.boxes });
  const { videos, videosOfSet, tracks, frames, missingFrames, boxes, refused, diskBytes } = found;
  const of = videosOfSet === undefined ? "" : ` of ${videosOfSet}`;
  console.log(`${root}: ${format}, ${completeness(found)}`);
  for (const what of found.missing) console.log(`  missing: ${what}`);
  if (found.faults > 0) console.log(`  ${found.faults} files or rows cannot be read`);
  for (const { file, reason } of found.firstFaults.slice(0, 5)) console.log(`  ${file}: ${reason}`);
  console.log(
    `${videos}${of} videos, ${tracks} tracks, ${frames} pictures (${missingFrames} missing or empty), ` +
      `${boxes} boxes (${refused} refused by the set's rules)`,
  );
  console.log(`The crops will take about ${formatBytes(diskBytes)}`);
  if (options.json) console.log(JSON.stringify({ root, ...found }));
}

/** How many videos a whole set has is not known of all sets. */
function completeness({ isComplete, videosOfSet }: RawInventory): string {
  if (!isComplete) return "not complete";
  return videosOfSet === undefined ? "nothing seems to be missing" : "complete";
}
