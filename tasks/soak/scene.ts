import { join } from "@std/path";
import { isPartialFile, newestWholeCheckpoint, type Rng } from "../../mod.ts";
import { Trainee, type TraineeOptions } from "./trainee.ts";

/** What is unexpected of a training; the soak tells it at its end. */
export class SoakFault extends Error {
  override readonly name = "SoakFault";
}

/** The disturbed training, its files and who disturbs it. */
export class Scene {
  readonly rng: Rng;
  readonly ranks: number;
  /** Folder of prepared data. */
  readonly data: string;
  /** Folder of checkpoints and logs. */
  readonly out: string;
  /** Whether {@linkcode out} is a small disk of its own. */
  readonly bounded: boolean;
  readonly #config: string;
  readonly #onSaved: TraineeOptions["onSaved"];

  constructor(
    options:
      & Pick<Scene, "rng" | "ranks" | "data" | "out" | "bounded">
      & Pick<TraineeOptions, "config" | "onSaved">,
  ) {
    this.rng = options.rng;
    this.ranks = options.ranks;
    this.data = options.data;
    this.out = options.out;
    this.bounded = options.bounded;
    this.#config = options.config;
    this.#onSaved = options.onSaved;
  }

  get snapshots(): string {
    return join(this.out, "snapshot");
  }

  /** The newest whole checkpoint. */
  async newest(): Promise<string | undefined> {
    try {
      return (await newestWholeCheckpoint(this.snapshots)).newest?.path;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  }

  /** Whether a checkpoint is being written. */
  isSaving(): boolean {
    return Array.from(Deno.readDirSync(this.snapshots)).some(({ name }) => isPartialFile(name));
  }

  /**
   * Has the training disturbed while it runs, from its start on.
   *
   * @throws {SoakFault} If it does not go on from its newest whole checkpoint.
   */
  async run<T>(
    disturb: (trainee: Trainee) => Promise<T>,
    options: Pick<TraineeOptions, "preload" | "env" | "fileBytes"> = {},
  ): Promise<T> {
    const newest = await this.newest() ?? "nowhere";
    const trainee = new Trainee({
      config: this.#config,
      ranks: this.ranks,
      onSaved: this.#onSaved,
      ...options,
    });
    try {
      const result = await disturb(trainee);
      const { resumedFrom = newest } = trainee;
      if (resumedFrom !== newest) {
        throw new SoakFault(`it went on from ${resumedFrom}, expected ${newest}`);
      }
      return result;
    } finally {
      await trainee.kill();
    }
  }

  /** Waits for a moment of the run: in its start, or after some checkpoints, at any place in a step or a save. */
  async randomMoment(trainee: Trainee): Promise<void> {
    const { rng } = this;
    const inStart = rng.integer(3) === 0;
    if (!inStart) await this.saves(trainee, 1 + rng.integer(5));
    await Promise.race([wait(rng.uniform() * (inStart ? 8000 : 500)), trainee.ended]);
  }

  /** @throws {SoakFault} If the training ends before it has saved so often. */
  async saves(trainee: Trainee, count: number): Promise<void> {
    if (await trainee.saves(count)) return;
    const { code, signal, text } = await trainee.ended;
    throw new SoakFault(`it ended with status ${code} (${signal ?? "no signal"}):\n${text}`);
  }

  /** @throws {SoakFault} If the training does not end with this status and, if given, these words. */
  async ends(trainee: Trainee, code: number, words?: RegExp): Promise<void> {
    const ending = await trainee.ended;
    if (ending.code === code && (words?.test(ending.text) ?? true)) return;
    throw new SoakFault(
      `it ended with status ${ending.code}, expected ${code}${words ? ` and ${words}` : ""}:\n` +
        ending.text,
    );
  }
}

/** Some milliseconds. */
export function wait(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
