/** `prep-data verify DIR`: whether a prepared folder is whole. */
import { parseArgs } from "@std/cli/parse-args";
import { join } from "@std/path";
import {
  drawCropSheet,
  encodePng,
  openPrepared,
  verifyPrepared,
  type VerifyReport,
} from "../../mod.ts";
import { formatSeconds, numberOf } from "./source.ts";

const USAGE = `Usage: deno task prep-data verify DIR [--workers N] [--contact-sheet FILE] [--json]
  --contact-sheet FILE   pictures with their boxes, to look at: DIR/contact-sheet.png`;

/** Runs the command. */
export async function main(args: string[]): Promise<void> {
  const options = parseArgs(args, {
    string: ["workers", "contact-sheet", "_"],
    boolean: ["json", "help"],
  });
  if (options.help) return console.log(USAGE);
  const [folder, ...others] = options._ as string[];
  if (folder === undefined || others.length > 0) {
    throw new TypeError(`Cannot verify: one folder is needed\n${USAGE}`);
  }
  let last: VerifyReport | undefined, printed = 0;
  for await (
    const report of verifyPrepared({ folder, workers: numberOf("workers", options.workers) })
  ) {
    last = report;
    if (report.kind === "done" || report.elapsedSeconds - printed < 1) continue;
    printed = report.elapsedSeconds;
    const rate = report.boxes / report.elapsedSeconds;
    console.log(
      `${report.boxes} boxes, ${rate.toFixed(0)} a second, ${report.problemCount} problems`,
    );
  }
  const { boxes, hashed, problemCount, problems, samples, elapsedSeconds } = last!;
  const sheet = options["contact-sheet"] ?? join(folder, "contact-sheet.png");
  if (samples.length > 0) {
    using store = openPrepared(folder);
    await Deno.writeFile(sheet, await encodePng(await drawCropSheet(store, samples)));
  }
  for (const { name, reason } of problems.slice(0, 20)) console.log(`  ${name}: ${reason}`);
  console.log(
    `${boxes} boxes in ${formatSeconds(elapsedSeconds)}: ${problemCount} problems; ` +
      `${hashed} crops have the recorded hash or are among the problems. Look at ${sheet}`,
  );
  if (options.json) {
    console.log(JSON.stringify({ folder, boxes, hashed, problemCount, problems, sheet }));
  }
  if (problemCount > 0) throw new Error(`Cannot vouch for "${folder}": ${problemCount} problems`);
}
