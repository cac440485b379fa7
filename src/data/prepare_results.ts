/** What a preparation's books come to: annotations, hashes, quarantine, the packed crops. */
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { type AnnotatedTrack, annotationPieces } from "./annotation_writer.ts";
import { hashLine, readHashList } from "./hash_list.ts";
import { compareCodePoints, formatFrame } from "./annotations.ts";
import {
  enterHash,
  QUARANTINED,
  type QuarantineEntry,
  sourceName,
  toSource,
  WRITTEN,
} from "./prepare_books.ts";
import { cropPath } from "./sub_dataset.ts";
import type { TrackSplit } from "./track.ts";
import { writeWhole } from "./whole_file.ts";
import type { Row, WorkFile } from "./work_file.ts";

/** A part of a prepared set, with an annotation file of its own. */
export type Split = "train" | "val";

interface StoredBox {
  readonly frame: string;
  readonly numbers: readonly number[];
  readonly hash?: Uint8Array;
}

interface StoredVideo {
  readonly name: string;
  readonly tracks: readonly { readonly name: string; readonly boxes: readonly StoredBox[] }[];
}

/**
 * Writes the annotation file of a part, and beside it its SHA-256 and that of each crop that it
 * names, in its order and in the form of `sha256sum`.
 *
 * @param names Base names of the files, such as `train`.
 * @returns Number of boxes in the annotation file.
 */
export async function writeAnnotationFiles(
  books: WorkFile,
  { out, name, split }: { out: string; name: string; split: Split },
): Promise<number> {
  let count = 0;
  function* tracks(): Generator<AnnotatedTrack> {
    for (const { name: video, tracks } of storedVideos(books, split)) {
      if (tracks.length === 0) yield { video };
      for (const { name: track, boxes } of tracks) {
        count += boxes.length;
        yield { video, track, boxes };
      }
    }
  }
  const hash = createHash("sha256"), path = `${name}.json`;
  function* hashed(): Generator<string> {
    for (const piece of annotationPieces(tracks())) {
      hash.update(piece);
      yield piece;
    }
  }
  function* lines(): Generator<string> {
    yield hashLine({ hash: hash.digest("hex"), path });
    yield* hashLines(books, split);
  }
  await writeWhole(join(out, path), hashed());
  await writeWhole(join(out, `${name}.sha256`), lines());
  return count;
}

function* hashLines(books: WorkFile, split: Split): Generator<string> {
  for (const { name: video, tracks } of storedVideos(books, split)) {
    let lines = "";
    for (const { name: track, boxes } of tracks) {
      for (const { frame, hash } of boxes) {
        if (!hash) continue;
        const path = cropPath({ video, track, frame: Number(frame) }).replace(/^\.\//, "");
        lines += hashLine({ hash: hash.toHex(), path: `crop511/${path}` });
      }
    }
    yield lines;
  }
}

const CROP_PATH = /^crop511\/(.*)\/(\d+)\.(.+)\.x\.jpg$/s;

/** Takes the hashes of crops from the file that a finished run has left, if it is there. */
export async function readHashes(books: WorkFile, file: string): Promise<void> {
  books.begin();
  for await (const { hash, path } of readHashList(file)) {
    const [, video, frame, track] = CROP_PATH.exec(path) ?? [];
    if (video === undefined) continue;
    enterHash(books, { video, track, frame: Number(frame) }, Uint8Array.fromHex(hash));
  }
  books.commit();
}

/** The videos of a part by name, in the order of their code points. */
function* storedVideos(books: WorkFile, split: Split): Generator<StoredVideo> {
  const next = "SELECT id, name, keep FROM video WHERE name > ? ORDER BY name LIMIT 256";
  for (let last = "";;) {
    const rows = books.all(next, last) as { id: number; name: string; keep: number }[];
    for (const { id, name, keep } of rows) {
      const tracks = storedTracks(books, id, split);
      if (tracks && (keep || tracks.length > 0)) yield { name, tracks };
    }
    if (rows.length < 256) return;
    last = rows.at(-1)!.name;
  }
}

/** The tracks that the annotations name; undefined if the video is not of this part. */
function storedTracks(books: WorkFile, video: number, split: Split) {
  const rows = books.all("SELECT id, name, split, keep FROM track WHERE video = ?", video);
  const tracks = rows.filter((track) => isOf(track.split as TrackSplit, split));
  if (tracks.length === 0) return undefined;
  const boxes = Map.groupBy(
    books.all(
      `SELECT frame, track, ex1, ey1, ex2, ey2, state, hash FROM box WHERE video = ? AND (
         state = ${WRITTEN} AND (entered IS NULL OR entered = 1) OR
         entered = 1 AND track IN (SELECT id FROM track WHERE video = ? AND bare = 1))`,
      ...[video, video],
    ),
    (row) => row.track,
  );
  return tracks
    .filter(({ id, keep }) => keep || boxes.has(id))
    .map(({ id, name }) => ({
      name: name as string,
      boxes: (boxes.get(id) ?? []).map(toBox)
        .sort((a, b) => compareCodePoints(a.frame, b.frame)),
    }))
    .sort((a, b) => compareCodePoints(a.name, b.name));
}

function toBox({ frame, ex1, ey1, ex2, ey2, state, hash }: Row): StoredBox {
  return {
    frame: formatFrame(frame as number),
    numbers: [ex1, ey1, ex2, ey2].map((number) => (number ?? NaN) as number),
    ...state === WRITTEN && hash ? { hash: hash as Uint8Array } : {},
  };
}

function isOf(track: TrackSplit, split: Split): boolean {
  return track === split || track === "both";
}

/** What could not be prepared, by video, track, frame and file. */
export function* readQuarantine(books: WorkFile): Generator<QuarantineEntry> {
  const rows = books.each(
    `SELECT video.name AS video, track.name AS track, frame, image, NULL AS file, reason
     FROM box JOIN video ON video.id = box.video JOIN track ON track.id = box.track
     WHERE state = ${QUARANTINED}
     UNION ALL SELECT video, track, frame, NULL, file, reason FROM problem
     ORDER BY 1, 2, 3, 5, 6`,
  );
  for (const { video, track, frame, image, file, reason } of rows) {
    yield {
      file: (file ?? sourceName(toSource(image as string))) as string,
      reason: reason as string,
      ...video === null ? {} : { video: video as string },
      ...track === null ? {} : { track: track as string },
      ...frame === null ? {} : { frame: frame as number },
    };
  }
}

/** Writes the quarantine report, a JSON array. */
export async function writeQuarantine(books: WorkFile, path: string): Promise<void> {
  function* pieces(): Generator<string> {
    let before = "[";
    for (const entry of readQuarantine(books)) {
      yield `${before}\n  ${JSON.stringify(entry)}`;
      before = ",";
    }
    yield before === "[" ? "[]\n" : "\n]\n";
  }
  await writeWhole(path, pieces());
}

/** A packed crop and where it lies. */
export interface PackedCrop {
  readonly name: string;
  readonly place: number;
  readonly size: number;
}

/** Counts them. */
export const COUNT_PACKED =
  `SELECT count(*) AS count FROM box WHERE state = ${WRITTEN} AND place IS NOT NULL`;

/** The crops that are packed. */
export function* readPacked(books: WorkFile): Generator<PackedCrop> {
  const rows = books.each(
    `SELECT video.name AS video, track.name AS track, frame, place, size
     FROM box JOIN video ON video.id = box.video JOIN track ON track.id = box.track
     WHERE state = ${WRITTEN} AND place IS NOT NULL`,
  );
  for (const { video, track, frame, place, size } of rows) {
    const name = cropPath({
      video: (video as string).replace(/^\.\//, ""),
      track: track as string,
      frame: frame as number,
    });
    yield { name, place: place as number, size: size as number };
  }
}
