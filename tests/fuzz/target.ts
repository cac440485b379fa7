/** What a parser must do with any bytes: give a valid result or throw one of its own errors. */
export interface Target {
  readonly name: string;
  /** Valid files, and odd ones that the parser is known to refuse. */
  corpus(): Promise<readonly Uint8Array<ArrayBuffer>[]> | readonly Uint8Array<ArrayBuffer>[];
  /**
   * Parses.
   *
   * @param folder The only place that may be written to.
   * @throws {WrongResultError} If the result breaks an invariant.
   */
  run(bytes: Uint8Array<ArrayBuffer>, folder: string): Promise<void> | void;
  /** Error classes that the parser declares; the exact class or one below it. */
  // deno-lint-ignore no-explicit-any
  readonly allowedErrors: readonly (abstract new (...args: any[]) => Error)[];
  /** Words of the format, which mutations put in. */
  readonly dictionary?: readonly string[];
  /** Makes a mutated file's checksums right again, so that what lies behind them is reached. */
  repair?(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /** The part of the usual number of runs that a short run makes, for slow parsers; 1. */
  readonly share?: number;
}

/** A parser accepted a file and made something impossible of it. */
export class WrongResultError extends Error {
  override name = "WrongResultError";
}

/** @throws {WrongResultError} If the condition is false. */
export function demand(condition: boolean, wanted: string): asserts condition {
  if (!condition) throw new WrongResultError(`The result is wrong: expected ${wanted}`);
}

/** A text as the bytes of a file. */
export function bytesOfText(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** The files of a folder below tests/fixtures whose names fit, by name. */
export async function fixtures(
  folder: string,
  pattern: RegExp,
): Promise<Uint8Array<ArrayBuffer>[]> {
  const root = new URL(`../fixtures/${folder}/`, import.meta.url);
  const names = (await Array.fromAsync(Deno.readDir(root))).map(({ name }) => name).sort();
  return await Promise.all(
    names.filter((name) => pattern.test(name)).map((name) => Deno.readFile(new URL(name, root))),
  );
}
