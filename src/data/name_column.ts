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

  static from(names: readonly string[]): NameColumn {
    const encoded = names.map((name) => new TextEncoder().encode(name));
    const starts = new Uint32Array(names.length + 1);
    encoded.forEach((bytes, i) => starts[i + 1] = starts[i] + bytes.length);
    const bytes = sharedCopy(Uint8Array, new Uint8Array(starts[names.length]));
    encoded.forEach((name, i) => bytes.set(name, starts[i]));
    return new NameColumn({ bytes, starts: sharedCopy(Uint32Array, starts) });
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
