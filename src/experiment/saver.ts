import { removeOutdated, saveCheckpoint } from "../training/checkpoint.ts";
import type { Trainer } from "../training/trainer.ts";
import { explainWriteError } from "../weights/atomic_file.ts";

/** What a checkpoint is saved with. */
type SaveOptions = Parameters<typeof saveCheckpoint>[1];

/**
 * Saves checkpoints while the training goes on, one at a time, and removes those that newer ones have
 * made superfluous, only once these are whole.
 */
export class Saver implements AsyncDisposable {
  readonly #keep: number;
  #saving: Promise<string> | undefined;
  /** The disk that the first checkpoint went to. */
  #disk: number | undefined;
  /** What {@linkcode takeFinished} has to tell. */
  #finished: string[] = [];

  /** @param options.keep Checkpoints at the end of an epoch that stay; 0 for all. */
  constructor({ keep }: { readonly keep: number }) {
    this.#keep = keep;
  }

  /**
   * Begins to save; what is saved is taken before this returns.
   *
   * @throws {Error} If the checkpoint before this one could not be saved, or another disk stands in the place of
   * the one that the others are on.
   */
  async save(trainer: Trainer, options: SaveOptions): Promise<void> {
    await this.settle();
    await this.#checkDisk(options.folder);
    const saving = this.#save(trainer, options);
    this.#saving = saving;
    // Whoever waits for it hears of a failure.
    saving.then((path) => this.#finished.push(path), () => {});
  }

  async #checkDisk(folder: string): Promise<void> {
    const { dev } = await Deno.stat(folder).catch((cause) => {
      throw explainWriteError(folder, cause);
    });
    this.#disk ??= dev;
    if (dev === this.#disk) return;
    throw new Error(
      `Cannot write to "${folder}": another disk stands there now than at the start, bring that one ` +
        "back and go on with --resume auto",
    );
  }

  async #save(trainer: Trainer, options: SaveOptions): Promise<string> {
    const { position } = trainer;
    const path = await saveCheckpoint(trainer, options);
    await removeOutdated(options.folder, position, this.#keep);
    return path;
  }

  /** The checkpoints that have become whole since the last call. */
  takeFinished(): string[] {
    return this.#finished.splice(0);
  }

  /**
   * Waits for what is being saved.
   *
   * @throws {Error} If that failed.
   */
  async settle(): Promise<void> {
    const saving = this.#saving;
    this.#saving = undefined;
    await saving;
  }

  /** Waits for what is being saved, whether or not that succeeds. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#saving?.catch(() => {});
  }
}
