import { join } from "@std/path";
import { AppendFile } from "./append_file.ts";

/** Where a record of a log comes from. */
export interface LogOrigin {
  /** Rank of the process. */
  readonly rank: number;
  /** File that logs. */
  readonly source: string;
  /** Number after `#`, filled up to three places. */
  readonly line: number;
}

/**
 * A record of a log file: `[date time,milliseconds-rk<rank>-<source>#<line>] message`, in local
 * time (`siamban/utils/log_helper.py`).
 */
export function formatRecord(message: string, time: Date, origin: LogOrigin): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const date = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join("-");
  const clock = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(":");
  const milliseconds = String(time.getMilliseconds()).padStart(3, "0");
  const place = `rk${origin.rank}-${origin.source}#${String(origin.line).padStart(3)}`;
  return `[${date} ${clock},${milliseconds}-${place}] ${message}`;
}

/**
 * The log of a training, `logs.txt` in its log folder; a resumed training appends to it.
 *
 * @example
 * ```ts
 * import { LogFile } from "siamban";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const folder = await Deno.makeTempDir();
 * {
 *   using log = new LogFile(folder);
 *   log.write("epoch: 2");
 * }
 * assertStringIncludes(await Deno.readTextFile(`${folder}/logs.txt`), "-rk0-train.ts#  1] epoch: 2");
 * ```
 */
export class LogFile implements Disposable {
  readonly #file: AppendFile;
  readonly #origin: Omit<LogOrigin, "line">;
  readonly #now: () => Date;
  #records = 0;

  /**
   * @param folder Made where it does not exist.
   * @throws {Error} If the folder or file cannot be written: names path, reason and remedy.
   */
  constructor(
    folder: string,
    { rank = 0, source = "train.ts", now = () => new Date() }: {
      rank?: number;
      source?: string;
      now?: () => Date;
    } = {},
  ) {
    this.#origin = { rank, source };
    this.#now = now;
    this.#file = new AppendFile(join(folder, "logs.txt"));
    const last = this.#file.lastByte();
    // An earlier process may have been killed in the middle of a line.
    if (last !== undefined && last !== "\n".charCodeAt(0)) this.#append("\n");
  }

  get path(): string {
    return this.#file.path;
  }

  /**
   * Appends one record, which is in the file when this returns.
   *
   * @throws {Error} If it cannot be written; then none of it is in the file.
   */
  write(message: string): void {
    // Parity: the number names the record, not a source line, so that a lost record shows as a gap.
    const origin = { ...this.#origin, line: this.#records + 1 };
    this.#append(formatRecord(message, this.#now(), origin) + "\n");
    this.#records++;
  }

  #append(text: string): void {
    this.#file.append(new TextEncoder().encode(text));
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
