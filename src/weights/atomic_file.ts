import { basename, dirname, join } from "@std/path";

/** How the files that are still being written end; a name with it is never a whole file. */
const PARTIAL = ".partial";

/** Bytes handed to the operating system at a time. */
const PIECE = 1 << 24;

/** What {@linkcode writeFileAtomically} has written. */
export interface WrittenFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** SHA-256 of the content, hexadecimal. */
  readonly sha256: string;
}

/**
 * Writes a file whole or not at all.
 *
 * The bytes go to `.<name>.<random>.partial` in the same folder, are synced to the disk, and then
 * take the place of the old file in one step; the folder is synced too. A process killed on the way
 * leaves the old file as it was, and perhaps a partial one beside it
 * ({@linkcode removePartialFiles}).
 *
 * @param path Where; the folder must exist.
 * @param chunks The content; never held together in memory.
 * @throws {Error} If the disk is full, the folder cannot be written or does not exist. The old file
 * is untouched and the partial one removed.
 */
export async function writeFileAtomically(
  path: string,
  chunks: Iterable<Uint8Array>,
): Promise<WrittenFile> {
  const folder = dirname(path);
  const partial = join(folder, `.${basename(path)}.${crypto.randomUUID().slice(0, 8)}${PARTIAL}`);
  try {
    const written = await writeSynced(partial, chunks);
    await Deno.rename(partial, path);
    await syncFolder(folder);
    return { path, ...written };
  } catch (cause) {
    await Deno.remove(partial).catch(() => {}); // It may never have come to be.
    throw explainWriteError(path, cause);
  }
}

async function writeSynced(path: string, chunks: Iterable<Uint8Array>) {
  // Loaded only here: a program that may never write starts sooner without it.
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  let size = 0;
  using file = await Deno.open(path, { write: true, createNew: true });
  for (const chunk of chunks) {
    await writeAll(file, chunk);
    hash.update(chunk);
    size += chunk.byteLength;
  }
  await file.sync();
  return { size, sha256: hash.digest("hex") };
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.byteLength;) {
    done += await file.write(bytes.subarray(done, done + PIECE));
  }
}

/** Makes a rename last through a power cut: it is the folder that holds the names. */
async function syncFolder(path: string): Promise<void> {
  using folder = await Deno.open(path, { read: true });
  await folder.sync();
}

/** What can keep a file from being written, and what to do about it. */
const REMEDIES: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full, free some space or choose another folder",
  EDQUOT: "your quota on this disk is used up, free some space or choose another folder",
  EFBIG: "the file is larger than this disk or your limits allow, choose another folder",
  EROFS: "the disk is read-only, choose another folder",
  EACCES: "you may not write there, change the folder's permissions or choose another one",
  EPERM: "you may not write there, change the folder's permissions or choose another one",
  ENOENT: "its folder does not exist, create it, or bring its disk back",
  ENOTDIR: "its folder is not a folder, choose another one",
  EISDIR: "it is a folder, choose another name",
};

/** Says what to do about an error of the operating system; others are returned as they are. */
export function explainWriteError(path: string, cause: unknown): unknown {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (!Object.hasOwn(REMEDIES, code)) return cause;
  return new Error(
    `Cannot write ${JSON.stringify(path)}: ${REMEDIES[code]} (whatever was there is untouched)`,
    { cause },
  );
}

/** Whether a name is one of a file that was never finished. */
export function isPartialFile(name: string): boolean {
  return basename(name).startsWith(".") && name.endsWith(PARTIAL);
}

/**
 * Removes what killed processes left in a folder. Call it when no other process writes there.
 *
 * @returns The names removed.
 */
export async function removePartialFiles(folder: string): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(folder)) {
    if (isFile && isPartialFile(name)) names.push(name);
  }
  for (const name of names) await Deno.remove(join(folder, name));
  return names;
}
