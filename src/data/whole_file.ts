/** Suffix of a file that is not whole yet. */
export const PARTIAL_SUFFIX = ".partial";

/**
 * Writes a file that is either whole or not there: under another name, to the disk, then renamed.
 *
 * @param path Its folder must exist.
 * @param content Bytes, or pieces of text.
 * @param options.sync Whether to wait for the disk, so that not even a power cut can leave the new
 * name on an empty file; true. Without it a killed process still leaves no half file.
 * @throws {Error} If the disk refuses; the cause is the system's error, nothing stays behind.
 */
export async function writeWhole(
  path: string,
  content: Uint8Array | Iterable<string>,
  { sync = true }: { readonly sync?: boolean } = {},
): Promise<void> {
  const partial = path + PARTIAL_SUFFIX;
  try {
    using file = await Deno.open(partial, { create: true, write: true, truncate: true });
    const encoder = new TextEncoder();
    const pieces = content instanceof Uint8Array ? [content] : content;
    for (const piece of pieces) {
      await writeAll(file, typeof piece === "string" ? encoder.encode(piece) : piece);
    }
    if (sync) await file.syncData();
  } catch (cause) {
    await Deno.remove(partial).catch(() => {});
    const reason = cause instanceof Error ? cause.message : String(cause);
    const remedy = /os error 28\b/.test(reason) ? ", free some space and start again" : ""; // ENOSPC
    throw new Error(`Cannot write "${path}": ${reason}${remedy}`, { cause });
  }
  await Deno.rename(partial, path);
}

async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  while (bytes.length > 0) bytes = bytes.subarray(await file.write(bytes));
}
