/** Rows of numbers. Those of all rows lie in one array: a comparison of trackers reads millions. */
export class NumberRows implements Iterable<number[]> {
  /** Of all rows, one row after the other. */
  readonly numbers: Float64Array;
  /** Where each row ends among the numbers, and the next begins. */
  readonly ends: Uint32Array;

  constructor(numbers: Float64Array, ends: Uint32Array) {
    this.numbers = numbers;
    this.ends = ends;
  }

  /** Number of rows. */
  get length(): number {
    return this.ends.length;
  }

  /** Where row `i` begins among the numbers. */
  start(i: number): number {
    return i === 0 ? 0 : this.ends[i - 1];
  }

  /** Where row `i` ends among the numbers. */
  end(i: number): number {
    return this.ends[i];
  }

  row(i: number): number[] {
    return Array.from(this.numbers.subarray(this.start(i), this.end(i)));
  }

  *[Symbol.iterator](): Generator<number[]> {
    for (let i = 0; i < this.length; i++) yield this.row(i);
  }

  /** The first rows, as many. */
  first(count: number): NumberRows {
    return count >= this.length ? this : new NumberRows(this.numbers, this.ends.subarray(0, count));
  }
}

const TAB = 9, NEWLINE = 10, RETURN = 13, SPACE = 32;
const COMMA = 44, MINUS = 45, POINT = 46, ZERO = 48;

/** Powers of ten that a double holds exactly, as far as plain lines need them. */
const POWERS = Array.from({ length: 16 }, (_, i) => 10 ** i);

/** Puts rows together; its memory serves one set of rows after the other. */
export class NumberRowsBuilder {
  #numbers = new Float64Array(1 << 12);
  #count = 0;
  #ends = new Uint32Array(1 << 10);
  #rows = 0;

  /** Number of rows so far. */
  get length(): number {
    return this.#rows;
  }

  push(row: readonly number[]): void {
    this.#reserve(row.length);
    this.#numbers.set(row, this.#count);
    this.#endRow(row.length);
  }

  /**
   * Adds the numbers of a line from `start` to `end`, if it is a plain one: digits with a sign and a
   * point, separated by single commas or tabs, as nearly all are.
   *
   * @returns False for any other line; nothing is added.
   */
  pushPlainLine(bytes: Uint8Array, start: number, end: number): boolean {
    this.#reserve((end - start >> 1) + 1);
    const count = this.#parsePlainLine(bytes, start, end);
    if (count === 0) return false;
    this.#endRow(count);
    return true;
  }

  /** The rows so far; from here on others are put together. */
  build(): NumberRows {
    const rows = new NumberRows(
      this.#numbers.slice(0, this.#count),
      this.#ends.slice(0, this.#rows),
    );
    this.clear();
    return rows;
  }

  clear(): void {
    this.#count = this.#rows = 0;
  }

  /**
   * Writes the numbers of a plain line behind the others. With at most 15 digits both the digits and
   * the power of ten are exact, so that the one division rounds as `Number()` does.
   *
   * @returns How many they are; 0 for any other line.
   */
  #parsePlainLine(bytes: Uint8Array, start: number, end: number): number {
    const numbers = this.#numbers;
    let at = this.#count, value = 0, digits = 0, point = -1, sign = 1;
    for (let i = start; i <= end; i++) {
      const code = i < end ? bytes[i] : COMMA;
      if (code >= ZERO && code <= ZERO + 9) {
        value = 10 * value + code - ZERO;
        digits++;
      } else if (code === COMMA || code === TAB) {
        if (digits === 0 || digits > 15) return 0;
        numbers[at++] = sign * (point < 0 ? value : value / POWERS[digits - point]);
        value = digits = 0;
        point = -1;
        sign = 1;
      } else if (code === POINT && point < 0) point = digits;
      else if (code === MINUS && digits === 0 && point < 0 && sign === 1) sign = -1;
      else return 0;
    }
    return at - this.#count;
  }

  #reserve(numbers: number): void {
    const needed = this.#count + numbers;
    if (needed > this.#numbers.length) {
      this.#numbers = new Float64Array(this.#numbers.buffer.transfer(16 * needed));
    }
    if (this.#rows === this.#ends.length) {
      this.#ends = new Uint32Array(this.#ends.buffer.transfer(8 * this.#rows));
    }
  }

  #endRow(numbers: number): void {
    this.#count += numbers;
    this.#ends[this.#rows++] = this.#count;
  }
}

const builder = new NumberRowsBuilder();

/**
 * Parses lines of numbers separated by commas, tabs, spaces or semicolons; blank lines at the end do
 * not count.
 *
 * @param file Bytes of a text.
 * @param name What error messages call the text.
 * @returns A row a line; a NaN stays a NaN.
 * @throws {SyntaxError} If a line is blank or holds something else; names line and word.
 */
export function parseNumberRows(file: Uint8Array, name: string): NumberRows {
  const bytes = file.includes(RETURN) ? withNewlines(file) : file;
  const end = contentEnd(bytes);
  builder.clear();
  for (let from = contentStart(bytes); from < end;) {
    const newline = bytes.indexOf(NEWLINE, from), to = newline < 0 ? end : Math.min(newline, end);
    if (!builder.pushPlainLine(bytes, from, to)) {
      const line = new TextDecoder().decode(bytes.subarray(from, to));
      builder.push(parseLine(line, `"${name}", line ${builder.length + 1}`));
    }
    from = to + 1;
  }
  return builder.build();
}

function withNewlines(bytes: Uint8Array): Uint8Array {
  return new TextEncoder().encode(new TextDecoder().decode(bytes).replace(/\r\n?/g, "\n"));
}

/** Where the text begins: behind a byte order mark. */
function contentStart(bytes: Uint8Array): number {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;
}

/** Where the last line ends that is not blank. */
function contentEnd(bytes: Uint8Array): number {
  let end = bytes.length;
  while (
    end > 0 && (bytes[end - 1] === SPACE || bytes[end - 1] >= TAB && bytes[end - 1] <= RETURN)
  ) {
    end--;
  }
  return end;
}

function parseLine(line: string, place: string): number[] {
  const words = line.split(/[\s,;]+/).filter((word) => word !== "");
  if (words.length === 0) throw new SyntaxError(`Cannot read ${place}: it is blank`);
  return words.map((word) => {
    const number = /^[-+]?nan$/i.test(word) ? NaN : Number(infinity(word));
    if (Number.isNaN(number) && !/nan/i.test(word)) {
      // Escaped and cut, in case it is no text at all.
      const found = JSON.stringify(word.length > 40 ? `${word.slice(0, 40)}…` : word);
      throw new SyntaxError(`Cannot read ${place}: ${found} is not a number`);
    }
    return number;
  });
}

/** `inf` as numpy writes it. */
function infinity(word: string): string {
  return word.replace(/^([-+]?)inf(inity)?$/i, "$1Infinity");
}
