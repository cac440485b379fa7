import { dirname, join } from "@std/path";
import type { Corner } from "../../geometry/boxes.ts";
import type { ReadFault, Track, TrackReaderOptions } from "../track.ts";
import { readCsvRows } from "./csv_rows.ts";
import { findFoldersWith, splitOfPath, toFault } from "./folders.ts";
import { joinPieces } from "./join_pieces.ts";

/** Names of the columns with a box: corners, or a corner and a size. */
const CORNERS = [["x1", "y1", "x2", "y2"], ["xmin", "ymin", "xmax", "ymax"]];
const SIZES = [["x", "y", "w", "h"], ["x", "y", "width", "height"], [
  "left",
  "top",
  "width",
  "height",
]];

/**
 * CSV files with a header. Columns: `image`, a picture's path from the file's folder (or from
 * `root`, if the file is given as `boxes`); a box as `x1,y1,x2,y2`, `xmin,ymin,xmax,ymax`,
 * `x,y,w,h` or `left,top,width,height` in pixels from 0; and where wanted `video` (else the
 * picture's folder), `track` (else 00), `frame` (else the digits at the end of the picture's name)
 * and `split` (train or val). Other columns are passed over.
 */
export async function* readCsv(options: TrackReaderOptions): AsyncGenerator<Track | ReadFault> {
  const { root, boxes } = options;
  if (boxes) return yield* joinPieces(readFile(boxes, root));
  if ((await Deno.stat(root)).isFile) return yield* joinPieces(readFile(root, dirname(root)));
  for await (const { folder, files } of findFoldersWith(root, (name) => /\.csv$/i.test(name))) {
    for (const file of files) yield* joinPieces(readFile(join(folder, file), folder));
  }
}

async function* readFile(path: string, folder: string): AsyncGenerator<Track | ReadFault> {
  let header: Header | undefined;
  try {
    for await (const row of readCsvRows(path)) {
      if (!header) {
        header = toHeader("fault" in row ? [row.fault] : row.fields);
        continue;
      }
      const next = "fault" in row ? row.fault : toTrack(row.fields, header, folder);
      yield typeof next === "string" ? toFault(path, `line ${row.line}: ${next}`) : next;
    }
  } catch (error) {
    yield toFault(path, error);
  }
}

interface Header {
  readonly columns: ReadonlyMap<string, number>;
  readonly box: readonly string[];
  readonly isSize: boolean;
}

function toHeader(fields: readonly string[]): Header {
  const columns = new Map(fields.map((name, i) => [name.trim().toLowerCase(), i]));
  const isThere = (names: string[]) => names.every((name) => columns.has(name));
  const corners = CORNERS.find(isThere), sizes = SIZES.find(isThere);
  if (columns.has("image") && (corners || sizes)) {
    return { columns, box: corners ?? sizes!, isSize: !corners };
  }
  throw new SyntaxError(
    `the header is "${fields.join(",")}", expected "image" and one of ` +
      [...CORNERS, ...SIZES].map((names) => `"${names.join(",")}"`).join(", "),
  );
}

function toTrack(fields: readonly string[], header: Header, folder: string): Track | string {
  const of = (name: string) => fields[header.columns.get(name) ?? -1]?.trim() ?? "";
  const image = of("image");
  if (image === "") return "no image is given";
  if (image.split("/").includes("..")) return `the image "${image}" leads out of the folder`;
  const frame = of("frame") || (/(\d+)\.\w+$/.exec(image)?.[1] ?? "");
  if (!/^\d+$/.test(frame)) return `"${frame || image}" gives no frame number`;
  const video = of("video") || (dirname(image) === "." ? "images" : dirname(image));
  const split = of("split") || splitOfPath(video);
  if (split !== "train" && split !== "val") return `split is "${split}", expected train or val`;
  return {
    video,
    id: (of("track") || "0").padStart(2, "0"),
    split,
    frames: [{
      number: Number(frame),
      image: { kind: "file", path: join(folder, image) },
      box: toBox(header.box.map((name) => of(name)), header.isSize),
    }],
  };
}

/** A box; null where no number stands. */
function toBox(words: readonly string[], isSize: boolean): Corner | null {
  if (words.every((word) => word === "")) return null;
  const [a, b, c, d] = words.map((word) => word === "" ? NaN : Number(word));
  return isSize ? { x1: a, y1: b, x2: a + c, y2: b + d } : { x1: a, y1: b, x2: c, y2: d };
}
