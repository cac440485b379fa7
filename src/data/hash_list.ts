/** Recorded hashes of crops, in the form that `sha256sum -c` reads. */
import { readLines } from "./text_lines.ts";

/** A line of the list. */
export interface RecordedHash {
  /** SHA-256, hexadecimal. */
  readonly hash: string;
  /** Path from the prepared folder, such as `crop511/a/video/000007.00.x.jpg`. */
  readonly path: string;
}

/** The line of a crop; a path with a line break or backslash is escaped, and the line marked so. */
export function hashLine({ hash, path }: RecordedHash): string {
  const escaped = path.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
  return `${escaped === path ? "" : "\\"}${hash}  ${escaped}\n`;
}

/** The lines of a list, in their order; none if there is no such file. */
export async function* readHashList(file: string): AsyncGenerator<RecordedHash> {
  if (!await Deno.stat(file).catch(() => undefined)) return;
  for await (const line of readLines(file)) {
    const [, mark, hash, escaped] = /^(\\?)([0-9a-f]{64}) {2}(.*)$/.exec(line) ?? [];
    if (hash === undefined) continue;
    const path = mark === "" ? escaped : escaped.replace(
      /\\(.)/g,
      (_, letter) => letter === "n" ? "\n" : letter,
    );
    yield { hash, path };
  }
}
