import { GrowingColumn } from "./growing_column.ts";
import { sharedCopy } from "./shared_array.ts";

/** UTF-8 text of all names and where each begins; plain data in shared memory. */
export interface NameColumnData {
  readonly bytes: Uint8Array;
  /** First byte of each name, then the number of bytes, `[n + 1]`. */
  readonly starts: Uint32Array;
}

/** A list of names that costs its text and 4 bytes each, and is not copied to workers. */
export class NameColumn {
  readonly data: NameColumnData;

  constructor(data: NameColumnData) {
    this.data = data;
  }

  get length(): number {
    return this.data.starts.length - 1;
  }

  at(index: number): string {
    const { bytes, starts } = this.data;
    // slice() copies: TextDecoder does not read shared memory.
    return new TextDecoder().decode(bytes.slice(starts[index], starts[index + 1]).buffer);
  }
}

/** Collects the names of a {@linkcode NameColumn}. */
export class NameColumnBuilder {
  readonly #encoder = new TextEncoder();
  readonly #starts = new GrowingColumn(0);
  #bytes = new Uint8Array(1024);

  get length(): number {
    return this.#starts.length - 1;
  }

  push(name: string): void {
    const start = this.#starts.at(-1);
    // A UTF-16 unit takes 3 bytes at most.
    if (start + 3 * name.length > this.#bytes.length) {
      const bytes = new Uint8Array(2 * this.#bytes.length + 3 * name.length);
      bytes.set(this.#bytes);
      this.#bytes = bytes;
    }
    this.#starts.push(start + this.#encoder.encodeInto(name, this.#bytes.subarray(start)).written);
  }

  /** Takes the last name back. */
  pop(): void {
    this.#starts.pop();
  }

  /** The last name. */
  last(): string {
    return new TextDecoder().decode(
      this.#bytes.subarray(this.#starts.at(-2), this.#starts.at(-1)),
    );
  }

  build(): NameColumnData {
    const bytes = this.#bytes.subarray(0, this.#starts.at(-1));
    return { bytes: sharedCopy(Uint8Array, bytes), starts: this.#starts.toShared() };
  }
}
