/** How toolkits name results, and where the folders of trackers lie. */
import { join } from "@std/path";

/** Names that a sequence has in other toolkits. */
const OTHER_NAMES: Readonly<Record<string, readonly string[]>> = { "Human4-2": ["Human4"] };

/** What pytracking puts before the names of sequences. */
const PREFIXES = ["", "uav_", "nfs_"];

/** Names under which results of a sequence may lie. */
export function namesOf(sequence: string): string[] {
  return [sequence, ...OTHER_NAMES[sequence] ?? []].flatMap((name) =>
    PREFIXES.map((prefix) => prefix + name)
  );
}

/** A name without what toolkits spell differently: case, and the sign before a number. */
export function simplify(name: string): string {
  return name.toLowerCase().replace(/[-_. ]/g, "_");
}

/** Names in a folder by their simplified form; none if it is not there. */
export function listEntries(folder: string): Map<string, string[]> {
  const names = new Map<string, string[]>();
  try {
    // Thousands of small folders and files: waiting for each would take longer than reading it.
    for (const { name } of Deno.readDirSync(folder)) {
      const key = simplify(name), list = names.get(key);
      if (list) list.push(name);
      else names.set(key, [name]);
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw error;
    }
  }
  return names;
}

/**
 * Folders of trackers at a path: those in it, those one level further down (pytracking has
 * `<tracker>/<parameters>`), or the path itself if it is a tracker's own, because it holds results of
 * a sequence, or a folder that VOT's toolkits make.
 *
 * @param sequences Names of the benchmark's sequences.
 */
export async function listTrackers(
  path: string,
  sequences: readonly { readonly name: string }[],
): Promise<string[]> {
  const known = new Set(sequences.flatMap(({ name }) => namesOf(name)).map(simplify));
  const isTracker = (folder: string) => holdsResults(folder, known);
  if (await isTracker(path)) return [path];
  const folders: string[] = [];
  for (const folder of await listFolders(path)) {
    const nested: string[] = [];
    if (!await isTracker(folder)) {
      for (const inner of await listFolders(folder)) if (await isTracker(inner)) nested.push(inner);
    }
    folders.push(...nested.length > 0 ? nested : [folder]);
  }
  return folders;
}

/** Whether a folder is a tracker's: a tracker may well be called as a sequence is, but holds no runs then. */
async function holdsResults(folder: string, known: ReadonlySet<string>): Promise<boolean> {
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (["baseline", "longterm", "unsupervised"].includes(name)) return true;
    if (!known.has(simplify(name.replace(/\.(txt|bin)$/, "")))) continue;
    const runs = isFile ? [] : [...listEntries(join(folder, name)).keys()];
    if (isFile || runs.some((run) => /_\d+_(txt|bin)$/.test(run))) return true;
  }
  return false;
}

async function listFolders(path: string): Promise<string[]> {
  const folders: string[] = [];
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(path)) {
    const isFolder = isDirectory || isSymlink && (await Deno.stat(join(path, name))).isDirectory;
    if (isFolder && !name.startsWith(".")) folders.push(join(path, name));
  }
  return folders.sort();
}
