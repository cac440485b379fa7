/**
 * Parses lines of numbers separated by commas, tabs, spaces or semicolons; blank lines at the end do
 * not count.
 *
 * @param name What error messages call the text.
 * @returns A row a line; a NaN stays a NaN.
 * @throws {SyntaxError} If a line is blank or holds something else; names line and word.
 */
export function parseNumberRows(text: string, name: string): number[][] {
  const lines = text.replace(/^\ufeff/, "").trimEnd().split(/\r\n|\n|\r/);
  if (lines.length === 1 && lines[0].trim() === "") return [];
  return lines.map((line, i) => parseRow(line, `"${name}", line ${i + 1}`));
}

function parseRow(line: string, place: string): number[] {
  // Nearly all lines are plain; Number("") is 0, so an empty word needs the careful way.
  const plain = line.split(",");
  const numbers = plain.map(Number);
  if (!numbers.some((number, i) => Number.isNaN(number) || plain[i].trim() === "")) return numbers;
  const words = line.split(/[\s,;]+/).filter((word) => word !== "");
  if (words.length === 0) throw new SyntaxError(`Cannot read ${place}: it is blank`);
  return words.map((word) => {
    const number = /^[-+]?nan$/i.test(word) ? NaN : Number(infinity(word));
    if (Number.isNaN(number) && !/nan/i.test(word)) {
      throw new SyntaxError(`Cannot read ${place}: "${word}" is not a number`);
    }
    return number;
  });
}

/** `inf` as numpy writes it. */
function infinity(word: string): string {
  return word.replace(/^([-+]?)inf(inity)?$/i, "$1Infinity");
}
