import { parse } from "csv-parse/sync";
import { readLines } from "../text_lines.ts";

/** A row of a CSV file, or why it cannot be read. */
export type CsvRow =
  & {
    /** Of the file, from 1; the row's first. */
    readonly line: number;
  }
  & ({ readonly fields: readonly string[] } | { readonly fault: string });

/** Lines that a row may have: a quote that does not end within them spoils its own line alone. */
const MOST_LINES = 16;

/**
 * The rows of a CSV file (RFC 4180), one after the other; a file whose name ends with `.gz` is
 * unpacked on the way.
 *
 * @throws {SyntaxError} If it cannot be unpacked, or a line has more than a million characters.
 */
export async function* readCsvRows(path: string): AsyncGenerator<CsvRow> {
  let line = 1;
  const waiting: string[] = []; // from this line on
  function* rows(most: number): Generator<CsvRow> {
    while (waiting.length > 0) {
      const count = linesOfRow(waiting);
      if (count === undefined && waiting.length < most) return;
      const text = waiting.splice(0, count ?? 1).join("\n");
      if (text !== "") yield { line, ...parseRow(text) };
      line += count ?? 1;
    }
  }
  try {
    for await (const text of readLines(path)) {
      waiting.push(text);
      yield* rows(MOST_LINES);
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SyntaxError(`Cannot read "${path}" from line ${line}: ${reason}`, { cause });
  }
  yield* rows(0);
}

/** How many lines the first row has; undefined if a quote in it does not end. */
function linesOfRow(lines: readonly string[]): number | undefined {
  let isOpen = false;
  for (const [i, text] of lines.entries()) {
    if (text.includes('"')) isOpen = isOpen !== (text.split('"').length % 2 === 0);
    if (!isOpen) return i + 1;
  }
}

function parseRow(text: string): { fields: readonly string[] } | { fault: string } {
  if (!text.includes('"')) return { fields: text.split(",") };
  try {
    return { fields: parse(text, { relax_column_count: true })[0] };
  } catch (error) {
    return { fault: (error as Error).message.split(/[:,]/)[0] };
  }
}
