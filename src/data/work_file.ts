/**
 * The file of a preparation's books: every box, what became of it, and what could not be read. It
 * makes memory independent of the set's size, survives a kill at any moment (SQLite's write-ahead
 * log), and goes when the work is done.
 *
 * @module
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";

/** Version of the tables. */
const FORM = "1";

// box.state: 0 pending, 1 written, 2 refused, 3 in quarantine.
// box.entered: null if the annotations say the cropped box itself, 1 if they say ex1..ey2, else 0.
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS note (key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS video (id INTEGER PRIMARY KEY, name TEXT UNIQUE, keep INTEGER);
  CREATE TABLE IF NOT EXISTS track (
    id INTEGER PRIMARY KEY, video INTEGER, name TEXT, split TEXT, keep INTEGER, rule TEXT,
    unit TEXT, missing TEXT, bare INTEGER, UNIQUE (video, name));
  CREATE TABLE IF NOT EXISTS box (
    video INTEGER, frame INTEGER, track INTEGER, image TEXT,
    x1 REAL, y1 REAL, x2 REAL, y2 REAL, ex1 REAL, ey1 REAL, ex2 REAL, ey2 REAL, entered INTEGER,
    state INTEGER, reason TEXT, size INTEGER, hash BLOB, place REAL,
    PRIMARY KEY (video, frame, track)) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS problem (
    id INTEGER PRIMARY KEY, video TEXT, track TEXT, frame INTEGER, file TEXT, reason TEXT,
    boxes INTEGER);
`;

/** Another preparation has the file open. */
export class WorkFileBusy extends Error {
  override readonly name = "WorkFileBusy";

  constructor(path: string, options: ErrorOptions) {
    super(`Cannot use "${path}": another preparation is at work in this folder`, options);
  }
}

/** A row of a table. */
export type Row = Record<string, unknown>;

/** The tables, open for one process at a time. */
export class WorkFile implements Disposable {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * Opens the file, or begins it.
   *
   * @throws {WorkFileBusy} If another process has it open.
   * @throws {Error} If it is damaged, or the disk is full.
   */
  constructor(path: string) {
    this.#path = path;
    this.#db = new DatabaseSync(path);
    try {
      // Exclusive: no second preparation, and no shared memory, which network disks lack.
      this.#db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL");
      this.#db.exec("PRAGMA synchronous = NORMAL; PRAGMA cache_size = -32768");
      this.#db.exec(SCHEMA);
      if ((this.note("form") ?? FORM) !== FORM) throw new RangeError("it has another form");
      this.setNote("form", FORM);
    } catch (cause) {
      this.#db.close();
      throw this.#describe(cause);
    }
  }

  /** What is noted under a key. */
  note(key: string): string | undefined {
    return this.get("SELECT value FROM note WHERE key = ?", key)?.value as string | undefined;
  }

  setNote(key: string, value: string): void {
    this.run("INSERT OR REPLACE INTO note VALUES (?, ?)", key, value);
  }

  /** Forgets everything. */
  clear(): void {
    this.#db.exec("DELETE FROM box; DELETE FROM track; DELETE FROM video; DELETE FROM problem");
    this.#db.exec("DELETE FROM note WHERE key <> 'form'");
  }

  /** Begins a group of changes of which all last or none. */
  begin(): void {
    this.#db.exec("BEGIN");
  }

  /** Ends the group. */
  commit(): void {
    this.#tell(() => this.#db.exec("COMMIT"));
  }

  /** Runs a statement; the number of rows that it changed. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return this.#tell(() => Number(this.#prepared(sql).run(...values).changes));
  }

  /** The first row of an answer. */
  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    return this.#tell(() => this.#prepared(sql).get(...values) as Row | undefined);
  }

  /** All rows of an answer. */
  all(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#tell(() => this.#prepared(sql).all(...values) as Row[]);
  }

  /** The rows of an answer, one by one; nothing may be changed meanwhile. */
  each(sql: string): Iterable<Row> {
    return this.#db.prepare(sql).iterate() as Iterable<Row>;
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (!statement) this.#statements.set(sql, statement = this.#db.prepare(sql));
    return statement;
  }

  #tell<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw this.#describe(cause);
    }
  }

  #describe(cause: unknown): Error {
    const reason = cause instanceof Error ? cause.message : String(cause);
    if (/locked/.test(reason)) return new WorkFileBusy(this.#path, { cause });
    const remedy = /full|disk I\/O/.test(reason)
      ? "free some space and start again"
      : "remove it and start again: crops that are there are looked at and kept";
    return new Error(`Cannot use "${this.#path}": ${reason}, ${remedy}`, { cause });
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    this.#db.close();
  }
}

/** Removes the file of the books. */
export async function removeWorkFile(path: string): Promise<void> {
  for (const end of ["-journal", "-wal", "-shm", ""]) {
    await Deno.remove(path + end).catch((error) => {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    });
  }
}
