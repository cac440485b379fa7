/**
 * What Linux tells in /proc and /dev. Deno keeps these places behind --allow-all, with which a program
 * could do anything; the C library reads them with the right to call libraries, which is needed anyway.
 *
 * @module
 */
import { isAvailable, openLibrary } from "./library.ts";

const libc = openLibrary({ name: "the C library", files: ["libc.so.6"] }, {
  open: { parameters: ["buffer", "i32"], result: "i32" }, // const char *path, int flags -> int
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" }, // int, void *, size_t -> ssize_t
  close: { parameters: ["i32"], result: "i32" }, // int -> int
  access: { parameters: ["buffer", "i32"], result: "i32" }, // const char *path, int mode -> int
});

const READ_ONLY = 0x80000; // O_RDONLY | O_CLOEXEC
/** No such file is longer; a device may be without end. */
const LONGEST = 2 ** 24;

/** The text of a file such as /proc/cpuinfo; undefined if it is not there or cannot be read. */
export function readSystemFile(path: string): string | undefined {
  if (Deno.build.os !== "linux" || !isAvailable(libc)) return undefined;
  const { open, read, close } = libc();
  const file = open(cText(path), READ_ONLY);
  if (file < 0) return undefined;
  try {
    const decoder = new TextDecoder(), chunk = new Uint8Array(2 ** 16);
    let text = "";
    while (text.length < LONGEST) {
      const count = Number(read(file, chunk, BigInt(chunk.length)));
      if (count < 0) return undefined;
      if (count === 0) break;
      text += decoder.decode(chunk.subarray(0, count), { stream: true });
    }
    return text;
  } finally {
    close(file);
  }
}

/** Whether a file such as /dev/video0 is there. */
export function isSystemFile(path: string): boolean {
  return Deno.build.os === "linux" && isAvailable(libc) && libc().access(cText(path), 0) === 0;
}

function cText(path: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${path}\0`);
}
