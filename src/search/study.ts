/**
 * A search's memory: a SQLite file that outlives the programs that work on it. Any number of them may
 * do so at once; what one that dies leaves unfinished is taken over by another.
 *
 * @module
 */
import { DatabaseSync } from "node:sqlite";
import type { Setting } from "./space.ts";

/** What a study is about. Programs work together only if all of it agrees. */
export type StudySubject = Readonly<Record<string, string | number>>;

/** A setting with what came of it. */
export interface Trial {
  /** From 0. */
  readonly number: number;
  readonly state: "running" | "done" | "failed";
  readonly values: Setting;
  /** The figure that is searched for; higher is better unless the subject says otherwise. */
  readonly score?: number;
  /** All figures. */
  readonly figures?: Readonly<Record<string, number>>;
  /** Why it failed. */
  readonly reason?: string;
}

/** A setting that a program has taken upon itself. */
export interface Claim {
  readonly number: number;
  readonly values: Setting;
  /** What is finished of it, by name of the sequence. */
  readonly parts: ReadonlyMap<string, string>;
}

/** Marks the file as one of ours: "SBst". */
const APPLICATION = 0x53427374;
const VERSION = 1;

const SCHEMA = `
  CREATE TABLE subject (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE trial (
    number INTEGER PRIMARY KEY,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    worker TEXT NOT NULL,
    lease INTEGER NOT NULL,
    settings TEXT NOT NULL,
    score REAL,
    figures TEXT,
    reason TEXT
  ) STRICT;
  CREATE TABLE part (
    trial INTEGER NOT NULL REFERENCES trial,
    sequence TEXT NOT NULL,
    result TEXT NOT NULL,
    PRIMARY KEY (trial, sequence)
  ) STRICT;
  PRAGMA application_id = ${APPLICATION};
  PRAGMA user_version = ${VERSION};
`;

/** Opens study files. */
export class Study implements Disposable {
  readonly #db: DatabaseSync;
  readonly #worker = crypto.randomUUID();
  readonly #leaseMs: number;

  private constructor(db: DatabaseSync, leaseMs: number) {
    this.#db = db;
    this.#leaseMs = leaseMs;
  }

  /**
   * Opens a study, or makes a new one.
   *
   * @param leaseSeconds How long a program may be silent before its settings are taken over.
   * @throws {RangeError} If the file is none of ours.
   */
  static open(path: string, { leaseSeconds = 120 } = {}): Study {
    let db: DatabaseSync | undefined;
    try {
      db = new DatabaseSync(path, { timeout: 30_000 });
      // Readers and one writer do not wait for each other, and a killed program harms nothing.
      db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON");
      const study = new Study(db, 1000 * leaseSeconds);
      study.#prepare(path);
      return study;
    } catch (cause) {
      db?.close();
      if (cause instanceof RangeError) throw cause;
      const reason = (cause as Error).message;
      throw new RangeError(`Cannot open study "${path}": ${reason}`, { cause });
    }
  }

  #prepare(path: string): void {
    this.#transaction(() => {
      const { application_id: application } = this.#db.prepare("PRAGMA application_id").get()!;
      const { user_version: version } = this.#db.prepare("PRAGMA user_version").get()!;
      if (application === APPLICATION && version === VERSION) return;
      const { tables } = this.#db.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()!;
      if (application !== 0 || tables !== 0) {
        throw new RangeError(`Cannot open study "${path}": it is a database of something else`);
      }
      this.#db.exec(SCHEMA);
    });
  }

  /** Runs as one step that no other program comes between; nothing is written if it fails. */
  #transaction<T>(run: () => T): T {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      const result = run();
      this.#db.exec("COMMIT");
      return result;
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  /** What the study is about; empty if it is new. */
  get subject(): Readonly<Record<string, string>> {
    const rows = this.#db.prepare("SELECT key, value FROM subject ORDER BY rowid").all();
    return Object.fromEntries(rows.map(({ key, value }) => [String(key), String(value)]));
  }

  /**
   * Says what the study is about, or checks that it is about the same.
   *
   * @throws {RangeError} If it is about something else; names what differs.
   */
  join(subject: StudySubject): void {
    this.#transaction(() => {
      const known = this.subject;
      if (Object.keys(known).length === 0) {
        const insert = this.#db.prepare("INSERT INTO subject VALUES (?, ?)");
        for (const [key, value] of Object.entries(subject)) insert.run(key, String(value));
        return;
      }
      for (const [key, value] of Object.entries(subject)) {
        if (known[key] === String(value)) continue;
        throw new RangeError(
          `Cannot join the study: its ${key} is ${known[key] ?? "not set"}, found ${value}, ` +
            "take another file for --study",
        );
      }
    });
  }

  /** All settings so far, in order. */
  trials(): Trial[] {
    const rows = this.#db.prepare(
      "SELECT number, state, settings, score, figures, reason FROM trial ORDER BY number",
    ).all();
    return rows.map((row) => ({
      number: Number(row.number),
      state: row.state as Trial["state"],
      values: JSON.parse(String(row.settings)),
      ...row.score === null ? {} : { score: Number(row.score) },
      ...row.figures === null ? {} : { figures: JSON.parse(String(row.figures)) },
      ...row.reason === null ? {} : { reason: String(row.reason) },
    }));
  }

  /**
   * Takes settings to work on: first what programs that died have left, then new ones.
   *
   * @param count As many as are evaluated side by side.
   * @param limit Settings in all.
   * @param suggest The next setting, from those before; undefined if there is none.
   */
  claim(
    { count, limit, suggest }: {
      readonly count: number;
      readonly limit: number;
      readonly suggest: (number: number, before: readonly Trial[]) => Setting | undefined;
    },
  ): Claim[] {
    return this.#transaction(() => {
      const now = Date.now(), claims = this.#takeOver(now, count);
      const insert = this.#db.prepare(
        "INSERT INTO trial (number, state, worker, lease, settings) VALUES (?, 'running', ?, ?, ?)",
      );
      const known = this.trials();
      while (claims.length < count && known.length < limit) {
        const number = known.length, values = suggest(number, known);
        if (!values) break;
        insert.run(number, this.#worker, now + this.#leaseMs, JSON.stringify(values));
        known.push({ number, state: "running", values });
        claims.push({ number, values, parts: new Map() });
      }
      return claims;
    });
  }

  #takeOver(now: number, count: number): Claim[] {
    const left = this.#db.prepare(
      "SELECT number, settings FROM trial WHERE state = 'running' AND lease < ? ORDER BY number LIMIT ?",
    ).all(now, count);
    const take = this.#db.prepare("UPDATE trial SET worker = ?, lease = ? WHERE number = ?");
    const parts = this.#db.prepare("SELECT sequence, result FROM part WHERE trial = ?");
    return left.map(({ number, settings }) => {
      take.run(this.#worker, now + this.#leaseMs, number);
      const finished = parts.all(number).map(({ sequence, result }): [string, string] => [
        String(sequence),
        String(result),
      ]);
      return {
        number: Number(number),
        values: JSON.parse(String(settings)),
        parts: new Map(finished),
      };
    });
  }

  /** Milliseconds between two signs of life, often enough not to be thought dead. */
  get renewAfterMs(): number {
    return Math.min(5000, this.#leaseMs / 4);
  }

  /** Says that this program still works on what it has claimed. */
  renew(): void {
    this.#db.prepare("UPDATE trial SET lease = ? WHERE worker = ? AND state = 'running'")
      .run(Date.now() + this.#leaseMs, this.#worker);
  }

  /** Keeps a setting's result on a sequence; what another program has taken over meanwhile stays. */
  keepPart(number: number, sequence: string, result: string): void {
    this.#db.prepare("INSERT OR IGNORE INTO part VALUES (?, ?, ?)").run(number, sequence, result);
  }

  /** Ends a setting with its figures; results by sequence are not needed any more. */
  finish(number: number, score: number, figures: Readonly<Record<string, number>>): void {
    this.#end(number, { state: "done", score, figures: JSON.stringify(figures), reason: null });
  }

  /** Ends a setting that cannot be evaluated. */
  fail(number: number, reason: string): void {
    this.#end(number, { state: "failed", score: null, figures: null, reason });
  }

  #end(
    number: number,
    { state, score, figures, reason }: {
      readonly state: Trial["state"];
      readonly score: number | null;
      readonly figures: string | null;
      readonly reason: string | null;
    },
  ): void {
    this.#transaction(() => {
      // A setting has one end: of two programs that came to it the first.
      const { changes } = this.#db.prepare(
        "UPDATE trial SET state = ?, score = ?, figures = ?, reason = ? WHERE number = ? AND state = 'running'",
      ).run(state, score, figures, reason, number);
      if (changes > 0) this.#db.prepare("DELETE FROM part WHERE trial = ?").run(number);
    });
  }

  /** Settings that other programs work on. */
  get running(): number {
    const { running } = this.#db.prepare(
      "SELECT count(*) AS running FROM trial WHERE state = 'running'",
    ).get()!;
    return Number(running);
  }

  [Symbol.dispose](): void {
    this.#db.close();
  }
}
