/**
 * Parses lines of numbers separated by commas, tabs, spaces or semicolons; blank lines at the end do
 * not count.
 *
 * @param name What error messages call the text.
 * @returns A row a line; a NaN stays a NaN.
 * @throws {SyntaxError} If a line is blank or holds something else; names line and word.
 */
export function parseNumberRows(text: string, name: string): number[][] {
  const content = text.replace(/^\ufeff/, "").trimEnd();
  const lines = content.includes("\r") ? content.split(/\r\n|\n|\r/) : content.split("\n");
  if (lines.length === 1 && lines[0].trim() === "") return [];
  return lines.map((line, i) => parsePlainRow(line) ?? parseRow(line, `"${name}", line ${i + 1}`));
}

/** Powers of ten that a double holds exactly, as far as plain lines need them. */
const POWERS = Array.from({ length: 16 }, (_, i) => 10 ** i);

const COMMA = 44, MINUS = 45, POINT = 46, ZERO = 48;

/**
 * Digits with a sign and a point, separated by single commas: what nearly all lines are made of.
 * With at most 15 digits both the digits and the power of ten are exact, so that the one division
 * rounds as `Number()` does.
 *
 * @returns Undefined for any other line.
 */
function parsePlainRow(line: string): number[] | undefined {
  const row: number[] = [];
  let value = 0, digits = 0, point = -1, sign = 1;
  for (let i = 0; i <= line.length; i++) {
    const code = i < line.length ? line.charCodeAt(i) : COMMA;
    if (code >= ZERO && code <= ZERO + 9) {
      value = 10 * value + code - ZERO;
      digits++;
    } else if (code === COMMA) {
      if (digits === 0 || digits > 15) return undefined;
      row.push(sign * (point < 0 ? value : value / POWERS[digits - point]));
      value = digits = 0;
      point = -1;
      sign = 1;
    } else if (code === POINT && point < 0) point = digits;
    else if (code === MINUS && digits === 0 && point < 0 && sign === 1) sign = -1;
    else return undefined;
  }
  return row;
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
