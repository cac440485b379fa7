import { join } from "@std/path";
import { crc32 } from "node:zlib";
import { INDEX_HEADER, INDEX_SUFFIX } from "../../../src/data/annotation_index.ts";
import { writeIndex } from "../../../src/data/annotation_index_writer.ts";
import type { AnnotationTable } from "../../../src/data/annotation_table.ts";
import { annotationText, parseAnnotations } from "../../../src/data/annotations.ts";
import { openAnnotations } from "../../../src/data/open_annotations.ts";
import { parseBoxes } from "../../../src/data/box_file.ts";
import { parseAnnotationXml } from "../../../src/data/readers/annotation_xml.ts";
import { readCsvRows } from "../../../src/data/readers/csv_rows.ts";
import { bytesOfText, demand, type Target } from "../target.ts";

const ANNOTATIONS = `{
    "a/cat": {"00": {"000001": [1, 2, 30.5, 40], "000007": [1.25, 2, 3, 4e1]}, "01": {"000002": [10, 20]}},
    "b\\u00e9/dog": {"00": {"000000": [0, 0, 5, 5], "visible": {"x": [1, {}]}, "000003": [5, 5, 5, 9]}}
}`;

function parse(bytes: Uint8Array): AnnotationTable {
  let at = 0;
  const source = {
    readSync(into: Uint8Array): number | null {
      const part = bytes.subarray(at, at += Math.min(into.length, 61));
      into.set(part);
      return part.length === 0 ? null : part.length;
    },
  };
  return parseAnnotations(source, "train.json").table;
}

const annotationJson: Target = {
  name: "annotation-json",
  corpus: () => [bytesOfText(ANNOTATIONS), bytesOfText("{}"), bytesOfText('{"v": {"t": {}}}')],
  run(bytes) {
    const table = parse(bytes);
    const text = [...annotationText(table)].join("");
    const again = [...annotationText(parse(bytesOfText(text)))].join("");
    demand(again === text, "what is written again to be the same");
    const known = countBoxes(bytes);
    if (known !== undefined) demand(known === table.boxCount, `${known} boxes`);
  },
  allowedErrors: [SyntaxError],
  dictionary: [
    '"000001":',
    "[1,2,3,4]",
    '{"a":',
    "NaN",
    "Infinity",
    '"\\ud800"',
    '"__proto__":',
    "\\",
  ],
};

/** Boxes by another reading of the text; undefined where it cannot tell, such as of NaN. */
function countBoxes(bytes: Uint8Array): number | undefined {
  let count = 0;
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    for (const tracks of Object.values(JSON.parse(text)) as object[]) {
      for (const boxes of Object.values(tracks) as object[]) {
        for (const [frame, box] of Object.entries(boxes)) {
          if (!/^\d+$/.test(frame) || !Array.isArray(box)) continue;
          const [x1, y1, x2, y2] = box.length === 2 ? [0, 0, ...box] : box;
          if (x2 - x1 > 0 && y2 - y1 > 0 && Number.isFinite(x1 + y1 + x2 + y2)) count++;
        }
      }
    }
  } catch {
    return undefined;
  }
  return count;
}

function forIndex(bytes: Uint8Array<ArrayBuffer>, folder: string): string {
  const path = join(folder, "train.json");
  Deno.writeTextFileSync(path, ANNOTATIONS);
  Deno.writeFileSync(path + INDEX_SUFFIX, bytes);
  return path;
}

function indexCorpus(): Uint8Array<ArrayBuffer>[] {
  const folder = new URL("../../../build/fuzz/", import.meta.url).pathname;
  const path = join(folder, `corpus-${crypto.randomUUID()}.json`);
  Deno.mkdirSync(folder, { recursive: true });
  try {
    Deno.writeTextFileSync(path, ANNOTATIONS);
    writeIndex(path, path + INDEX_SUFFIX);
    return [Deno.readFileSync(path + INDEX_SUFFIX)];
  } finally {
    Deno.removeSync(path);
    Deno.removeSync(path + INDEX_SUFFIX);
  }
}

/** Damage, which the checksum must find. */
const annotationIndex: Target = {
  name: "annotation-index",
  corpus: indexCorpus,
  run(bytes, folder) {
    const { table } = openAnnotations(forIndex(bytes, folder));
    const text = [...annotationText(table)].join("");
    const wanted = [...annotationText(parse(bytesOfText(ANNOTATIONS)))].join("");
    demand(text === wanted, "the boxes of the annotation file");
  },
  allowedErrors: [],
};

/** Malice: the checksum is right, so that the numbers must be sound among themselves. */
const forgedIndex: Target = {
  name: "annotation-index-forged",
  corpus: indexCorpus,
  repair(bytes) {
    if (bytes.length < INDEX_HEADER) return bytes;
    const view = new DataView(bytes.buffer);
    view.setUint32(72, crc32(bytes.subarray(INDEX_HEADER)), true);
    return bytes;
  },
  run(bytes, folder) {
    const { table } = openAnnotations(forIndex(bytes, folder));
    for (let video = 0; video < table.videoCount; video++) {
      table.videoName(video);
      const { start, end } = table.tracksOf(video);
      demand(start >= 0 && start <= end && end <= table.trackCount, "tracks of a video in order");
      for (let track = start; track < end; track++) {
        table.trackName(track);
        const boxes = table.boxesOf(track);
        demand(
          boxes.start >= 0 && boxes.start <= boxes.end && boxes.end <= table.boxCount,
          "boxes of a track in order",
        );
        for (let box = boxes.start; box < boxes.end; box++) {
          demand(typeof table.box(box).x1 === "number", "corners of every box");
        }
      }
    }
  },
  allowedErrors: [],
};

const boxFile: Target = {
  name: "box-file",
  corpus: () => [
    bytesOfText("1,2,3,4\n1.5\t2\t30\t40\nNaN,NaN,NaN,NaN\n0\n"),
    bytesOfText("1,2,3,2,3,4,1,4\r\n5 6 7 6 7 8 5 8\r\n"),
    bytesOfText("\ufeff1;2;3;4\n"),
  ],
  run(bytes) {
    for (const box of parseBoxes(new TextDecoder().decode(bytes))) {
      if (box === null) continue;
      demand(Object.values(box).every(Number.isFinite), "finite corners");
    }
  },
  allowedErrors: [SyntaxError],
  dictionary: ["NaN", "nan", ",", ";", "\t", "\r", "1e400", "Infinity", "0x1F"],
};

const XML = `<?xml version="1.0"?>
<!DOCTYPE annotation [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<annotation><folder>f</folder><filename>000007</filename>
<size><width>640</width><height>480</height><depth>3</depth></size>
<object><trackid>2</trackid><name>n02084071</name><bndbox><xmax>10</xmax><xmin>1</xmin>
<ymax>20</ymax><ymin>2</ymin></bndbox><occluded>1</occluded><generated>0</generated></object>
<object><name><![CDATA[cat]]></name><difficult>1</difficult>
<bndbox><xmin>3</xmin><ymin>4</ymin><xmax>5.5</xmax><ymax>6e1</ymax></bndbox></object></annotation>`;

const xml: Target = {
  name: "xml",
  corpus: () => [bytesOfText(XML), bytesOfText("<annotation/>")],
  run(bytes) {
    const { filename, size, objects } = wrapped(() =>
      parseAnnotationXml(new TextDecoder().decode(bytes))
    );
    demand(typeof filename === "string", "a name");
    demand(typeof size.width === "number" && typeof size.height === "number", "a size");
    for (const { corners, trackId } of objects) {
      demand(corners.length === 4 && corners.every((x) => typeof x === "number"), "four corners");
      demand(trackId === undefined || typeof trackId === "number", "a track's number");
    }
  },
  allowedErrors: [SyntaxError],
  dictionary: [
    "<object>",
    "</object>",
    "&b;",
    "&lt;",
    "&#x110000;",
    "<![CDATA[",
    "]]>",
    "<!--",
    "<?x",
  ],
};

/** The reader of files gives each of the parser's errors the file's name, and one class. */
function wrapped<T>(parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    if (cause instanceof RangeError || cause instanceof TypeError) throw cause;
    throw new SyntaxError((cause as Error).message, { cause });
  }
}

const csv: Target = {
  name: "csv",
  corpus: () => [
    bytesOfText('a,b,c\n1,"2,5",3\n"x ""y""",,\n'),
    bytesOfText("\ufeffvideo,1000,1,person,0,present,0.1,0.2,0.3,0.4\r\n"),
  ],
  async run(bytes, folder) {
    const path = join(folder, "rows.csv");
    await Deno.writeFile(path, bytes);
    let line = 0;
    for await (const row of readCsvRows(path)) {
      const texts = "fault" in row ? [row.fault] : row.fields;
      demand(texts.every((text) => typeof text === "string"), "fields that are texts");
      demand(row.line >= line, "lines in order");
      line = row.line;
    }
  },
  allowedErrors: [SyntaxError],
  dictionary: ['"', '""', ",", "\r", "\0", "\n\n"],
};

export const ANNOTATION_TARGETS = [
  ...[annotationJson, annotationIndex, forgedIndex, boxFile, xml, csv],
];
