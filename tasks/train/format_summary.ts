/** What a training says of itself, in lines for a person. */
import type { LoadingProfile, SetReport, Summary } from "../../mod.ts";

/** How far the preparation of a set is, in one line. */
export function formatPreparing({ set, report }: SetReport): string {
  const { kind, plan, counts, etaSeconds } = report;
  if (kind === "waiting") return `preparing ${set}: waiting for another process that does it`;
  if (kind === "reading") {
    return `preparing ${set}: reading annotations, ${plan.boxes} boxes so far`;
  }
  return `preparing ${set}: ${counts.boxes} of ${plan.boxes} boxes, ${
    etaSeconds.toFixed(0)
  } s left`;
}

/** What the preparation of a set has come to, in one line. */
export function formatPrepared(
  { set, report: { plan, counts, elapsedSeconds } }: SetReport,
): string {
  return `prepared ${set}: ${plan.boxes} boxes of ${plan.tracks} tracks in ` +
    `${elapsedSeconds.toFixed(1)} s, ${counts.quarantined} in quarantine`;
}

/** The end of a training: losses, speed, overlap, and where its files lie. */
export function formatSummary(summary: Summary): string {
  const { experiment, steps, seconds, ao, pictures, checkpoint, log } = summary;
  const rows: readonly (readonly [name: string, text: string | undefined])[] = [
    ["experiment", `${experiment}, ${steps} steps, ${seconds.toFixed(0)} s`],
    ...steps > 0 ? figuresOf(summary) : [],
    [
      "AO",
      ao && `${ao.before.toFixed(3)} before, ${ao.after.toFixed(3)} after, on held-out sequences`,
    ],
    ["checkpoint", checkpoint],
    ["log", log],
    ["pictures", pictures && `${pictures.gif}, ${pictures.png} (green: true box, red: predicted)`],
  ];
  const lines = rows.filter(([, text]) => text).map(([name, text]) =>
    `  ${name.padEnd(11)} ${text}`
  );
  return ["", "Done", ...lines].join("\n");
}

function figuresOf({ losses, firstLoss, ...speed }: Summary): [name: string, text: string][] {
  const { total, cls, loc } = losses;
  return [
    [
      "losses",
      `total ${firstLoss.toFixed(3)} -> ${total.toFixed(3)} ` +
      `(cls ${cls.toFixed(3)}, loc ${loc.toFixed(3)})`,
    ],
    [
      "speed",
      `${speed.pairsPerSecond.toFixed(1)} pairs/s, ` +
      `${(100 * speed.dataWaitShare).toFixed(1)} % of the time waiting for data`,
    ],
  ];
}

/** Where the time of loading went. */
export function formatLoading({ pairs, waitSeconds, millisecondsPerPair }: LoadingProfile): string {
  const parts = Object.entries(millisecondsPerPair).map(([name, ms]) => `${name} ${ms.toFixed(2)}`);
  return `  loading     ${pairs} pairs, thread milliseconds a pair: ${parts.join(", ")}; ` +
    `the training waited ${waitSeconds.toFixed(1)} s`;
}
