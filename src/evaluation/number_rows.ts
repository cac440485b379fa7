/**
 * Parses lines of numbers separated by commas, tabs, spaces or semicolons; blank lines at the end do
 * not count.
 *
 * @param name What error messages call the text.
 * @returns A row a line; a NaN stays a NaN.
 * @throws {SyntaxError} If a line is blank or holds something else; names line and word.
 */
export function parseNumberRows(text: string, name: string): number[][] {
  const trimmed = text.replace(/^\ufeff/, "").trimEnd();
  if (trimmed === "") return [];
  const content = trimmed.includes("\r") ? trimmed.replace(/\r\n?/g, "\n") : trimmed;
  const rows: number[][] = [];
  for (let from = 0, to = 0; to < content.length; from = to + 1) {
    const end = content.indexOf("\n", from);
    to = end < 0 ? content.length : end;
    rows.push(
      parsePlainRow(content, from, to) ??
        parseRow(content.slice(from, to), `"${name}", line ${rows.length + 1}`),
    );
  }
  return rows;
}

/** Powers of ten that a double holds exactly, as far as plain lines need them. */
const POWERS = Array.from({ length: 16 }, (_, i) => 10 ** i);

/** The numbers of a line while it is read: a row copied from here takes no more memory than it needs. */
const numbers: number[] = [0.5];

const COMMA = 44, MINUS = 45, POINT = 46, ZERO = 48;

/**
 * Digits with a sign and a point, separated by single commas: what nearly all lines are made of.
 * With at most 15 digits both the digits and the power of ten are exact, so that the one division
 * rounds as `Number()` does.
 *
 * @param from Where the line begins in the text, and `to` where it ends.
 * @returns Undefined for any other line.
 */
function parsePlainRow(text: string, from: number, to: number): number[] | undefined {
  let count = 0, value = 0, digits = 0, point = -1, sign = 1;
  for (let i = from; i <= to; i++) {
    const code = i < to ? text.charCodeAt(i) : COMMA;
    if (code >= ZERO && code <= ZERO + 9) {
      value = 10 * value + code - ZERO;
      digits++;
    } else if (code === COMMA) {
      if (digits === 0 || digits > 15) return undefined;
      numbers[count++] = sign * (point < 0 ? value : value / POWERS[digits - point]);
      value = digits = 0;
      point = -1;
      sign = 1;
    } else if (code === POINT && point < 0) point = digits;
    else if (code === MINUS && digits === 0 && point < 0 && sign === 1) sign = -1;
    else return undefined;
  }
  return numbers.slice(0, count);
}

function parseRow(line: string, place: string): number[] {
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
