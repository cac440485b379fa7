import { sharedCopy } from "./shared_array.ts";

/** Whole numbers in a row of 4 bytes each; memory grows by doubling. */
export class GrowingColumn {
  #values = new Uint32Array(1024);
  #length = 0;

  constructor(...values: number[]) {
    for (const value of values) this.push(value);
  }

  get length(): number {
    return this.#length;
  }

  /** A value by its place; from the end for a negative one. */
  at(index: number): number {
    return this.#values[index < 0 ? this.#length + index : index];
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const values = new Uint32Array(2 * this.#length);
      values.set(this.#values);
      this.#values = values;
    }
    this.#values[this.#length++] = value;
  }

  pop(): void {
    this.#length--;
  }

  setLast(value: number): void {
    this.#values[this.#length - 1] = value;
  }

  toShared(): Uint32Array {
    return sharedCopy(Uint32Array, this.#values.subarray(0, this.#length));
  }
}
