const REMEDIES: readonly [codes: readonly string[], reason: string, remedy: string][] = [
  [["ENOSPC", "EDQUOT"], "the disk is full", "free some space or choose another folder"],
  [
    ["EFBIG"],
    "the file is larger than this disk or your limits allow",
    "choose another folder",
  ],
  [["EROFS"], "the file system is read-only", "choose another folder"],
  [["EACCES", "EPERM"], "permission is denied", "change its owner or choose another folder"],
  [
    ["ENOTDIR", "EEXIST"],
    "a file stands where a folder should",
    "move it or choose another folder",
  ],
  [["EISDIR"], "a folder stands where the file should", "move it or choose another folder"],
];

/**
 * An error that says which path cannot be written, why, and what helps; `cause` is the system's.
 *
 * @example A full disk
 * ```ts ignore
 * throw writeError("logs/logs.txt", error); // Cannot write "logs/logs.txt": the disk is full, …
 * ```
 */
export function writeError(path: string, cause: unknown): Error {
  const message = cause instanceof Error ? cause.message : String(cause);
  const { reason, remedy } = knownFault(cause) ?? { reason: message, remedy: "check the path" };
  return new Error(`Cannot write "${path}": ${reason}, ${remedy}`, { cause });
}

/** What is behind an error of the file system, and what helps; nothing for those that say it themselves. */
export function knownFault(
  error: unknown,
): { readonly reason: string; readonly remedy: string } | undefined {
  const code = (error as { code?: string } | undefined)?.code ?? "";
  const known = REMEDIES.find(([codes]) => codes.includes(code));
  return known && { reason: known[1], remedy: known[2] };
}
