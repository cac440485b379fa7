import { join } from "@std/path";
import { isThere, locateRoot } from "./folders.ts";

/**
 * The folder of an ILSVRC set: it holds `Annotations/VID` or `Annotations/DET`.
 *
 * @throws {RangeError} If neither `root` nor a folder in it is one.
 */
export async function locateIlsvrc(root: string, set: "VID" | "DET"): Promise<string> {
  const found = await locateRoot(root, (folder) => isThere(join(folder, "Annotations", set)));
  if (found !== undefined) return found;
  throw new RangeError(
    `Cannot read "${root}" as ILSVRC ${set}: there is no Annotations/${set}, expected the folder ` +
      "that the archive unpacks to",
  );
}

/** A part of a set: its letter in the published annotations and where its annotations lie. */
export interface IlsvrcPart {
  readonly letter: string;
  readonly folder: string;
}

/**
 * The parts that are there. Where the published links (`train/a` and so on) exist they are taken,
 * else the folders by their own names.
 */
export async function ilsvrcParts(
  root: string,
  set: "VID" | "DET",
  names: Readonly<Record<string, string>>,
): Promise<IlsvrcPart[]> {
  const parts: IlsvrcPart[] = [];
  for (const [letter, name] of Object.entries(names)) {
    for (const below of [`train/${letter}`, name]) {
      const folder = join(root, "Annotations", set, below);
      if (!await isThere(folder)) continue;
      parts.push({ letter, folder });
      break;
    }
  }
  return parts;
}
