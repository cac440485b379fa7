import { dirname } from "@std/path";
import { writeError } from "./write_error.ts";

/**
 * A file that only grows. Each `append()` reaches the operating system before it returns, so what
 * was appended survives the end of the process, however it ends.
 */
export class AppendFile implements Disposable {
  readonly path: string;
  readonly #file: Deno.FsFile;

  /**
   * Opens a file for appending; makes it and its folders where they do not exist.
   *
   * @throws {Error} If that is impossible: names path, reason and remedy.
   */
  constructor(path: string) {
    this.path = path;
    this.#file = this.#attempt(() => {
      Deno.mkdirSync(dirname(path), { recursive: true });
      return Deno.openSync(path, { append: true, create: true, read: true });
    });
  }

  /** The last byte; undefined in an empty file. */
  lastByte(): number | undefined {
    const byte = new Uint8Array(1);
    if (this.#file.statSync().size === 0) return undefined;
    this.#file.seekSync(-1, Deno.SeekMode.End);
    return this.#file.readSync(byte) === 1 ? byte[0] : undefined;
  }

  /**
   * Appends all bytes, or none of them.
   *
   * @throws {Error} If the system refuses them: names path, reason and remedy.
   */
  append(bytes: Uint8Array): void {
    this.#attempt(() => {
      const { size, isFile } = this.#file.statSync();
      try {
        for (let done = 0; done < bytes.length;) done += this.#file.writeSync(bytes.subarray(done));
      } catch (error) {
        if (isFile) this.#file.truncateSync(size); // no torn record before the next one
        throw error;
      }
    });
  }

  /** Brings everything to the disk and closes the file. */
  [Symbol.dispose](): void {
    try {
      this.#attempt(() => this.#file.syncDataSync());
    } finally {
      this.#file.close();
    }
  }

  #attempt<T>(action: () => T): T {
    try {
      return action();
    } catch (error) {
      throw writeError(this.path, error);
    }
  }
}
