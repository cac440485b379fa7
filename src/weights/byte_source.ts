import { WeightsFileError } from "./weights_file_error.ts";

/** Bytes that can be read by range: a file too large to hold twice, or an array. */
export interface ByteSource extends Disposable {
  /** How errors call it. */
  readonly name: string;
  readonly size: number;
  /**
   * Copies `length` bytes from `offset` into memory of their own.
   *
   * @throws {WeightsFileError} If the range does not lie inside the source; nothing is allocated.
   */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
}

/** Bytes asked of the operating system at a time: one system call moves 2 GiB at most. */
const PIECE = 1 << 24;

/** Opens a file, or wraps bytes that are in memory already; declare it with `using`. */
export async function openByteSource(from: string | URL | Uint8Array): Promise<ByteSource> {
  if (from instanceof Uint8Array) return new MemorySource(from);
  const file = await Deno.open(from, { read: true });
  try {
    const { size, isFile } = await file.stat();
    if (!isFile) throw new WeightsFileError("it is not a file").in(nameOf(from));
    return new FileSource(nameOf(from), size, file);
  } catch (cause) {
    file.close();
    throw cause;
  }
}

function nameOf(from: string | URL): string {
  return JSON.stringify(from.toString());
}

function checkRange({ size }: ByteSource, offset: number, length: number): void {
  const inside = Number.isSafeInteger(offset) && Number.isSafeInteger(length) && offset >= 0 &&
    length >= 0 && offset + length <= size;
  if (inside) return;
  throw new WeightsFileError(
    `bytes ${offset} to ${offset + length} are wanted, it has ${size}, ` +
      "it may be cut short: copy or download it again",
  );
}

class MemorySource implements ByteSource {
  readonly name = "the given bytes";
  readonly size: number;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.size = bytes.byteLength;
  }

  // async, so that a range outside rejects here as it does for a file.
  // deno-lint-ignore require-await
  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this, offset, length);
    return new Uint8Array(this.#bytes.subarray(offset, offset + length));
  }

  [Symbol.dispose](): void {}
}

class FileSource implements ByteSource {
  readonly name: string;
  readonly size: number;
  readonly #file: Deno.FsFile;

  constructor(name: string, size: number, file: Deno.FsFile) {
    this.name = name;
    this.size = size;
    this.#file = file;
  }

  async read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this, offset, length);
    const bytes = new Uint8Array(length);
    await this.#file.seek(offset, Deno.SeekMode.Start);
    for (let done = 0; done < length;) {
      const count = await this.#file.read(bytes.subarray(done, Math.min(done + PIECE, length)));
      if (count === null) throw new WeightsFileError("it became shorter while it was read");
      done += count;
    }
    return bytes;
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
