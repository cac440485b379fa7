import { SaxesParser } from "saxes";

/** An object of a picture's annotation. */
export interface XmlObject {
  readonly name: string;
  /** Undefined where pictures are not frames of a video. */
  readonly trackId?: number;
  /** `xmin, ymin, xmax, ymax` as they stand; NaN where one is missing or no number. */
  readonly corners: readonly [number, number, number, number];
  readonly occluded: boolean;
  readonly difficult: boolean;
}

/** A picture's annotation in the form of Pascal VOC and ILSVRC. */
export interface XmlAnnotation {
  /** Name of the picture, with or without its ending. */
  readonly filename: string;
  readonly size: { readonly width: number; readonly height: number };
  readonly objects: readonly XmlObject[];
}

const LARGEST_FILE = 2 ** 24;
const DEEPEST = 32;

/**
 * Reads an annotation file. Entities that the file defines itself are not expanded.
 *
 * @throws {SyntaxError} If it is not well-formed, is larger than 16 MiB, or no such annotation.
 */
export async function readAnnotationXml(path: string): Promise<XmlAnnotation> {
  const { size } = await Deno.stat(path);
  if (size > LARGEST_FILE) throw new SyntaxError(`Cannot read "${path}": it has ${size} bytes`);
  try {
    return parseAnnotationXml(await Deno.readTextFile(path));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SyntaxError(`Cannot read "${path}": ${reason}`, { cause });
  }
}

/** {@linkcode readAnnotationXml} on text. */
export function parseAnnotationXml(text: string): XmlAnnotation {
  const parser = new SaxesParser();
  const path: string[] = [];
  const top = new Map<string, string>();
  const objects: Map<string, string>[] = [];
  parser.on("opentag", ({ name }) => {
    path.push(name);
    if (path.length > DEEPEST) parser.fail("elements lie too deep in each other");
    if (path.length === 2 && name === "object") objects.push(new Map());
  });
  parser.on("closetag", () => path.pop());
  const onText = (content: string) => {
    const [, section, ...rest] = path;
    const key = section === "object" ? rest.join(".") : path.slice(1).join(".");
    const fields = section === "object" ? objects.at(-1)! : top;
    // The first of several elements of one name counts, as with find().
    if (key !== "" && !fields.has(key) && content.trim() !== "") fields.set(key, content.trim());
  };
  parser.on("text", onText);
  parser.on("cdata", onText);
  parser.on("error", (error) => {
    throw error;
  });
  let root: string | undefined;
  parser.on("opentagstart", ({ name }) => root ??= name);
  parser.write(text.replace(/^\ufeff/, "")).close();
  if (root !== "annotation") {
    throw new SyntaxError(`the document is <${root}>, expected <annotation>`);
  }
  return {
    filename: top.get("filename") ?? "",
    size: { width: toNumber(top.get("size.width")), height: toNumber(top.get("size.height")) },
    objects: objects.map(toObject),
  };
}

function toObject(fields: Map<string, string>): XmlObject {
  const trackId = fields.get("trackid");
  const corner = (side: string) => toNumber(fields.get(`bndbox.${side}`));
  return {
    name: fields.get("name") ?? "",
    ...trackId === undefined ? {} : { trackId: toNumber(trackId) },
    corners: [corner("xmin"), corner("ymin"), corner("xmax"), corner("ymax")],
    occluded: fields.get("occluded") === "1",
    difficult: fields.get("difficult") === "1",
  };
}

function toNumber(text: string | undefined): number {
  return text === undefined || text === "" ? NaN : Number(text);
}
