/**
 * Keeps at most so many items of a stream of unknown length, evenly spread: when there is no more room
 * every other one goes, and from then on only every second, fourth, … is taken.
 */
export class EvenSample<T> {
  readonly #most: number;
  #items: T[] = [];
  #every = 1;
  #seen = 0;

  /** @param most At least 2. */
  constructor(most: number) {
    this.#most = most;
  }

  /** From the first on, in order. */
  get items(): readonly T[] {
    return this.#items;
  }

  /** How many of the stream's items one kept item stands for. */
  get every(): number {
    return this.#every;
  }

  /** @param make Makes the item; asked only for one that is kept. */
  offer(make: () => T): void {
    if (this.#seen++ % this.#every !== 0) return;
    if (this.#items.length === this.#most) {
      this.#items = this.#items.filter((_, i) => i % 2 === 0);
      this.#every *= 2;
      if ((this.#seen - 1) % this.#every !== 0) return;
    }
    this.#items.push(make());
  }
}
