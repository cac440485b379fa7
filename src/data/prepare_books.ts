/** The books of a preparation: what there is to do, and what became of it. */
import { hasArea } from "./annotations.ts";
import type { CropItem, CropOutcome } from "./crop_job.ts";
import type { BoxRule, BoxUnit, FrameSource, Track } from "./track.ts";
import type { Row, WorkFile } from "./work_file.ts";

/** `box.state` */
export const PENDING = 0, WRITTEN = 1, REFUSED = 2, QUARANTINED = 3;

/** What became of the boxes: `boxes` is the sum of the others once all is done. */
export interface PrepareCounts {
  boxes: number;
  /** Crops written by this run. */
  written: number;
  /** Whole crops that an earlier run left. */
  existing: number;
  /** Boxes that give no crop, by reason. */
  refused: Record<string, number>;
  /** Boxes whose frame is missing or damaged, or whose names cannot be used. */
  quarantined: number;
  /** Raw files that cannot be read: nobody knows how many boxes they hold. */
  faults: number;
}

/** Counts as the books have them. */
export interface BookCounts extends PrepareCounts {
  /** Boxes in quarantine that no other try can save. */
  readonly problems: number;
  /** Of the crops. */
  readonly bytes: number;
}

/** An entry of the quarantine report. */
export interface QuarantineEntry {
  /** Picture or annotation file. */
  readonly file: string;
  readonly reason: string;
  readonly video?: string;
  readonly track?: string;
  readonly frame?: number;
}

const INSERT = "INSERT INTO box (video, frame, track, image, x1, y1, x2, y2, " +
  "ex1, ey1, ex2, ey2, entered, state, reason) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const INSERT_NEW = `${INSERT} ON CONFLICT DO NOTHING`;
// As published: the later crop and the later entry of a frame take the place of the earlier ones.
const CROP = ["image", "x1", "y1", "x2", "y2", "state", "reason"];
const ENTRY = ["ex1", "ey1", "ex2", "ey2", "entered"];
const INSERT_OVER = `${INSERT} ON CONFLICT DO UPDATE SET ` + [
  ...CROP.map((column) =>
    `${column} = iif(excluded.state = ${PENDING}, excluded.${column}, ${column})`
  ),
  ...ENTRY.map((column) => `${column} = iif(excluded.entered = 1, excluded.${column}, ${column})`),
].join(", ");

const INSERT_VIDEO = "INSERT INTO video (name, keep) VALUES (?, ?) " +
  "ON CONFLICT DO UPDATE SET keep = max(keep, excluded.keep) RETURNING id";
const INSERT_TRACK = "INSERT INTO track (video, name, split, keep, rule, unit, missing, bare) " +
  "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET keep = max(keep, excluded.keep) " +
  "RETURNING id";

/**
 * Enters a track, or a piece of one.
 *
 * @param options.replace Whether a box that stands there already is replaced, as in the published
 * scripts; else the newcomer is a problem.
 */
export function enterTrack(
  books: WorkFile,
  track: Track,
  { replace }: { readonly replace: boolean },
): void {
  const { video: name, keep = "track", boxRule = "area", boxUnit = "pixels" } = track;
  const video = books.get(INSERT_VIDEO, name, Number(keep !== "nothing"))!.id as number;
  const id = books.get(
    INSERT_TRACK,
    ...[video, track.id, track.split ?? "train", Number(keep === "track")],
    ...[boxRule, boxUnit, track.missing ?? "report", Number(track.entriesWithoutCrop ?? false)],
  )!.id as number;
  for (const { number, image, box, refused, fault, entry } of track.frames) {
    const where = { video: name, track: track.id, frame: number, file: sourceName(image) };
    if (fault !== undefined) {
      enterProblem(books, { ...where, reason: fault });
      continue;
    }
    const reason = refused ?? (!box ? "the target is not given" : null) ??
      (boxRule !== "any" && !hasArea(box!) ? "the box has no area" : null);
    const changes = books.run(
      replace ? INSERT_OVER : INSERT_NEW,
      ...[video, number, id, sourceText(image)],
      ...(box ? [box.x1, box.y1, box.x2, box.y2] : [null, null, null, null]),
      ...(entry ? [entry.x1, entry.y1, entry.x2, entry.y2] : [null, null, null, null]),
      ...[entry === undefined ? null : Number(entry !== null), reason === null ? PENDING : REFUSED],
      reason,
    );
    if (changes > 0) continue;
    enterProblem(books, { ...where, reason: "the frame of this track stands there twice" });
  }
}

/**
 * Enters what cannot be prepared.
 *
 * @param boxes Number of boxes that it stands for.
 */
export function enterProblem(
  books: WorkFile,
  { video = undefined, track = undefined, frame = undefined, file, reason }: QuarantineEntry,
  boxes = 1,
): void {
  books.run(
    "INSERT INTO problem (video, track, frame, file, reason, boxes) VALUES (?, ?, ?, ?, ?, ?)",
    ...[video ?? null, track ?? null, frame ?? null, file, reason, boxes],
  );
}

/** Counts as the books stand; crops that are there count as `existing`. */
export function readCounts(books: WorkFile): BookCounts {
  const states = books.all("SELECT state, count(*) AS n FROM box GROUP BY state");
  const of = (state: number) => (states.find((row) => row.state === state)?.n ?? 0) as number;
  const refused = books.all(
    "SELECT reason, count(*) AS n FROM box WHERE state = ? GROUP BY reason ORDER BY reason",
    REFUSED,
  );
  const { boxes, faults } = books.get(
    "SELECT coalesce(sum(boxes), 0) AS boxes, coalesce(sum(boxes = 0), 0) AS faults FROM problem",
  ) as { boxes: number; faults: number };
  return {
    boxes: of(PENDING) + of(WRITTEN) + of(REFUSED) + of(QUARANTINED) + boxes,
    written: 0,
    existing: of(WRITTEN),
    refused: Object.fromEntries(refused.map(({ reason, n }) => [reason, n])),
    quarantined: of(QUARANTINED) + boxes,
    faults,
    problems: boxes,
    bytes: (books.get("SELECT coalesce(sum(size), 0) AS n FROM box")!.n) as number,
  };
}

const ITEMS = `
  SELECT box.*, video.name AS videoName, track.name AS trackName, rule, unit, missing
  FROM box JOIN video ON video.id = box.video JOIN track ON track.id = box.track
  WHERE (box.video, box.frame, box.track) > (?, ?, ?) AND state IN`;

/**
 * The boxes to look at, by video, frame and track: those without a crop, those whose crop must
 * still be there, and those in quarantine, which get another try. What a rule has refused is settled.
 *
 * @param options.skipWritten Leaves out those that have a crop.
 */
export function* readItems(books: WorkFile, { skipWritten = false } = {}): Generator<CropItem> {
  const states = [PENDING, QUARANTINED, ...(skipWritten ? [] : [WRITTEN])];
  // Page by page, so that nothing is changed while rows are read.
  const sql = `${ITEMS} (${states}) ORDER BY box.video, box.frame, box.track LIMIT 512`;
  for (let last = [-1, -1, -1];;) {
    const rows = books.all(sql, ...last);
    for (const row of rows) yield toItem(row);
    if (rows.length < 512) return;
    const { video, frame, track } = rows.at(-1) as Record<string, number>;
    last = [video, frame, track];
  }
}

function toItem(row: Row): CropItem {
  // SQLite keeps no NaN: a missing number is one.
  const [x1, y1, x2, y2] = [row.x1, row.y1, row.x2, row.y2].map((n) => (n ?? NaN) as number);
  const [ex1, ey1, ex2, ey2] = [row.ex1, row.ey1, row.ex2, row.ey2] as number[];
  const hash = row.hash as Uint8Array<ArrayBuffer> | null;
  return {
    key: [row.video, row.frame, row.track] as [number, number, number],
    video: row.videoName as string,
    track: row.trackName as string,
    frame: row.frame as number,
    image: toSource(row.image as string),
    box: { x1, y1, x2, y2 },
    rule: row.rule as BoxRule,
    unit: row.unit as BoxUnit,
    missing: row.missing as "report" | "refuse",
    ...hash && {
      known: {
        hash,
        size: (row.size ?? undefined) as number | undefined,
        box: ex1 === null ? undefined : { x1: ex1, y1: ey1, x2: ex2, y2: ey2 },
      },
    },
  };
}

/** Enters what became of a box; `place` is where packed crops have it. */
export function enterOutcome(
  books: WorkFile,
  { key }: CropItem,
  outcome: CropOutcome,
  place: number | null = null,
): void {
  const where = "WHERE video = ? AND frame = ? AND track = ?";
  if (outcome.kind === "refused" || outcome.kind === "quarantined") {
    const state = outcome.kind === "refused" ? REFUSED : QUARANTINED;
    const sql = `UPDATE box SET state = ?, reason = ?, size = NULL, hash = NULL ${where}`;
    books.run(sql, state, outcome.reason, ...key);
    return;
  }
  const { box: { x1, y1, x2, y2 }, size, hash } = outcome;
  const numbers = ["ex1", "ey1", "ex2", "ey2"]
    .map((column) => `${column} = iif(entered IS NULL, ?, ${column})`);
  books.run(
    `UPDATE box SET state = ?, reason = NULL, size = ?, hash = ?, place = ?, ${numbers} ${where}`,
    ...[WRITTEN, size, hash, place, x1, y1, x2, y2, ...key],
  );
}

/** Enters the hash of a crop that an earlier, finished run has written. */
export function enterHash(
  books: WorkFile,
  { video, track, frame }: { video: string; track: string; frame: number },
  hash: Uint8Array,
): void {
  books.run(
    `UPDATE box SET hash = ? WHERE frame = ? AND (video, track) = (
       SELECT track.video, track.id FROM track JOIN video ON video.id = track.video
       WHERE video.name IN (?, './' || ?) AND track.name = ?)`,
    ...[hash, frame, video, video, track],
  );
}

/** Forgets which crops are there. */
export function forgetCrops(books: WorkFile): void {
  const sql = "UPDATE box SET state = ?, size = NULL, hash = NULL, place = NULL WHERE state = ?";
  books.run(sql, PENDING, WRITTEN);
}

/** A file's path as it is; anything else as JSON, which no path begins like. */
function sourceText(source: FrameSource): string {
  return source.kind === "file" ? `=${source.path}` : JSON.stringify(source);
}

export function toSource(text: string): FrameSource {
  return text.startsWith("=") ? { kind: "file", path: text.slice(1) } : JSON.parse(text);
}

/** What a report calls the source of a frame. */
export function sourceName(source: FrameSource): string {
  return source.kind === "synthetic" ? `drawn video of seed ${source.video.seed}` : source.path;
}
