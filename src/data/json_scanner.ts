/** Where bytes come from, such as an open file. */
export interface ByteSource {
  /** Fills the front of `into`; the number of bytes, or null at the end. */
  readSync(into: Uint8Array): number | null;
}

const QUOTE = 0x22, BACKSLASH = 0x5c, NEWLINE = 0x0a;
const POWERS = Array.from({ length: 16 }, (_, i) => 10 ** i);
const NUMBER = /^-?(\d+(\.\d*)?([eE][-+]?\d+)?|Infinity)$|^NaN$/;

/**
 * Reads JSON token by token, so that a file larger than the longest string can be read in the
 * memory of one chunk. Accepts `NaN` and `Infinity`, which Python writes.
 */
export class JsonScanner {
  readonly #source: ByteSource;
  readonly #name: string;
  readonly #chunk: Uint8Array<ArrayBuffer>;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true });
  #at = 0;
  #end = 0;
  #line = 1;

  /**
   * @param source The bytes.
   * @param options.name What error messages call the source.
   * @param options.chunkSize Bytes to ask for at once; 1 MiB.
   */
  constructor(source: ByteSource, { name, chunkSize = 2 ** 20 }: {
    name: string;
    chunkSize?: number;
  }) {
    this.#source = source;
    this.#name = name;
    this.#chunk = new Uint8Array(chunkSize);
  }

  /** The next character that is not white space, which stays; `""` at the end. */
  peek(): string {
    const byte = this.#peekByte();
    return byte === -1 ? "" : String.fromCharCode(byte);
  }

  #peekByte(): number {
    for (;;) {
      const chunk = this.#chunk, end = this.#end;
      for (let at = this.#at; at < end; at++) {
        if (chunk[at] > 0x20) {
          this.#at = at;
          return chunk[at];
        }
        if (chunk[at] === NEWLINE) this.#line++;
      }
      this.#at = end;
      if (this.#byte() === -1) return -1;
    }
  }

  /** Takes a punctuation character if it is the next one. */
  take(character: string): boolean {
    if (this.#peekByte() !== character.charCodeAt(0)) return false;
    this.#at++;
    return true;
  }

  /** Takes a punctuation character. */
  expect(character: string): void {
    if (!this.take(character)) this.fail(`expected "${character}"`);
  }

  /** Takes a string. */
  string(): string {
    this.expect('"');
    // Most strings lie in one chunk and hold no escape.
    const end = this.#chunk.indexOf(QUOTE, this.#at);
    if (end !== -1 && end < this.#end) {
      const bytes = this.#chunk.subarray(this.#at, end);
      if (!bytes.includes(BACKSLASH)) {
        this.#at = end + 1;
        return this.#decodeString(bytes, false);
      }
    }
    return this.#longString();
  }

  /**
   * Takes a string of at most 9 digits as a number, where that can be seen at once; else takes
   * nothing and gives undefined.
   */
  digitKey(): number | undefined {
    if (this.#peekByte() !== QUOTE) return undefined;
    const chunk = this.#chunk, first = this.#at + 1, last = Math.min(this.#end, first + 10);
    let number = 0;
    for (let at = first; at < last; at++) {
      const digit = chunk[at] - 0x30;
      if (digit >= 0 && digit <= 9) number = number * 10 + digit;
      else if (chunk[at] === QUOTE && at > first) {
        this.#at = at + 1;
        return number;
      } else return undefined;
    }
    return undefined;
  }

  #longString(): string {
    const bytes: number[] = [];
    let escaped = false;
    for (let byte = this.#byte(); byte !== QUOTE; byte = this.#byte()) {
      if (byte === -1) this.fail("a string does not end");
      escaped ||= byte === BACKSLASH;
      bytes.push(byte);
      this.#at++;
      if (byte === BACKSLASH) bytes.push(this.#escapedByte());
    }
    this.#at++;
    return this.#decodeString(Uint8Array.from(bytes), escaped);
  }

  #escapedByte(): number {
    const byte = this.#byte();
    if (byte === -1) this.fail("a string does not end");
    this.#at++;
    return byte;
  }

  #decodeString(bytes: Uint8Array<ArrayBuffer>, escaped: boolean): string {
    if (bytes.some((byte) => byte < 0x20)) this.fail("a string does not end in its line");
    try {
      const text = this.#decoder.decode(bytes);
      return escaped ? JSON.parse(`"${text}"`) : text;
    } catch {
      return this.fail("a string is not valid UTF-8 or holds a wrong escape");
    }
  }

  /** Takes a number. */
  number(): number {
    this.#peekByte();
    // Most numbers are short decimals that lie in one chunk.
    const chunk = this.#chunk;
    let at = this.#at, digits = 0, places = -1;
    for (; at < this.#end; at++) {
      const digit = chunk[at] - 0x30;
      if (digit >= 0 && digit <= 9) {
        digits = digits * 10 + digit;
        if (places >= 0) places++;
      } else if (digit === -2 && places < 0) places = 0; // the point
      else break;
    }
    const plain = at < this.#end && at - this.#at <= 15 && !isNumberByte(chunk[at]);
    if (!plain || at === this.#at || places === 0) return this.#longNumber();
    this.#at = at;
    return places < 0 ? digits : digits / POWERS[places]; // both exact, so the quotient is the nearest
  }

  #longNumber(): number {
    let text = "";
    for (let byte = this.#byte(); isNumberByte(byte); byte = this.#byte()) {
      text += String.fromCharCode(byte);
      this.#at++;
    }
    if (!NUMBER.test(text)) this.fail(`expected a number, found "${text || this.peek()}"`);
    return Number(text);
  }

  /** Takes a value of any kind and drops it. */
  skipValue(): void {
    const next = this.peek();
    if (next === '"') this.string();
    else if (next === "{" || next === "[") this.#skipContainer();
    else if (!/[tfn]/.test(next)) this.number();
    else while (/[a-z]/.test(this.peek())) this.#at++;
  }

  #skipContainer(): void {
    let depth = 0;
    do {
      const next = this.peek();
      if (next === "") this.fail("the text ends inside a value");
      if (next === '"') {
        this.string();
        continue;
      }
      if (next === "{" || next === "[") depth++;
      if (next === "}" || next === "]") depth--;
      this.#at++;
    } while (depth > 0);
  }

  /** Takes the members of an object: yields each key; the caller takes the value. */
  *members(): Generator<string> {
    this.expect("{");
    if (this.take("}")) return;
    do {
      const key = this.string();
      this.expect(":");
      yield key;
    } while (this.take(","));
    this.expect("}");
  }

  /** Takes an array of numbers. */
  numbers(): number[] {
    const numbers: number[] = [];
    this.expect("[");
    if (this.take("]")) return numbers;
    do numbers.push(this.number()); while (this.take(","));
    this.expect("]");
    return numbers;
  }

  /**
   * Takes an array of numbers.
   *
   * @param into Gets the first of them.
   * @returns How many there are.
   */
  numbersInto(into: Float64Array): number {
    let count = 0;
    this.expect("[");
    if (this.take("]")) return 0;
    do into[count++] = this.number(); while (this.take(","));
    this.expect("]");
    return count;
  }

  /** @throws {SyntaxError} Always, with file and line. */
  fail(reason: string): never {
    throw new SyntaxError(`Cannot read "${this.#name}", line ${this.#line}: ${reason}`);
  }

  #byte(): number {
    if (this.#at === this.#end) {
      this.#at = 0;
      this.#end = this.#source.readSync(this.#chunk) ?? 0;
      if (this.#end === 0) return -1;
    }
    return this.#chunk[this.#at];
  }
}

function isNumberByte(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39 || byte === 0x2d || byte === 0x2b || byte === 0x2e ||
    byte >= 0x41 && byte <= 0x5a || byte >= 0x61 && byte <= 0x7a;
}
