import type { Batch } from "../data/batches.ts";
import type { SampleTimes } from "../data/sample_writer.ts";

/** Where the time of loading went. */
export interface LoadingProfile {
  readonly pairs: number;
  /** How long the training waited for batches. */
  readonly waitSeconds: number;
  /** Thread milliseconds a pair, by kind of work. */
  readonly millisecondsPerPair: SampleTimes;
}

/** Looks at batches on their way to the trainer. */
export class LoadingWatch {
  #notices: string[] = [];
  #pairs = 0;
  #waitSeconds = 0;
  readonly #work = { read: 0, decode: 0, augment: 0, label: 0 };

  /** Passes the batches on. */
  async *watch(batches: AsyncIterable<Batch>): AsyncGenerator<Batch> {
    for await (const batch of batches) {
      this.#pairs += batch.size;
      this.#waitSeconds += batch.waitSeconds;
      for (const part of Object.keys(this.#work) as (keyof SampleTimes)[]) {
        this.#work[part] += batch.work[part];
      }
      this.#notices.push(...batch.notices.map(({ message }) => message));
      yield batch;
    }
  }

  /** What the loader told since the last call. */
  takeNotices(): string[] {
    const notices = this.#notices;
    this.#notices = [];
    return notices;
  }

  /** So far; undefined before the first batch. */
  get profile(): LoadingProfile | undefined {
    if (this.#pairs === 0) return undefined;
    const { read, decode, augment, label } = this.#work;
    const each = (milliseconds: number) => milliseconds / this.#pairs;
    return {
      pairs: this.#pairs,
      waitSeconds: this.#waitSeconds,
      millisecondsPerPair: {
        read: each(read),
        decode: each(decode),
        augment: each(augment),
        label: each(label),
      },
    };
  }
}
