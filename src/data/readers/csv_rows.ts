import { parse } from "csv-parse";
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";

/** A row of a CSV file. */
export interface CsvRow {
  readonly fields: readonly string[];
  /** Of the file, from 1. */
  readonly line: number;
}

/** Characters of one row. */
const LONGEST_ROW = 2 ** 16;

/**
 * The rows of a CSV file (RFC 4180), one after the other; a file whose name ends with `.gz` is
 * unpacked on the way.
 *
 * @throws {Error} If a quote does not end or a row has more than 65536 characters.
 */
export async function* readCsvRows(path: string): AsyncGenerator<CsvRow> {
  const parser = parse({
    bom: true,
    info: true,
    max_record_size: LONGEST_ROW,
    relax_column_count: true,
    skip_empty_lines: true,
  });
  const file = createReadStream(path);
  const fail = (error: Error) => parser.destroy(error);
  file.on("error", fail);
  if (path.endsWith(".gz")) file.pipe(createGunzip().on("error", fail)).pipe(parser);
  else file.pipe(parser);
  try {
    for await (const { record, info } of parser) yield { fields: record, line: info.lines };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SyntaxError(`Cannot read "${path}": ${reason}`, { cause });
  } finally {
    file.destroy();
  }
}
