import { NumberRows, NumberRowsBuilder } from "./number_rows.ts";
import { type Answer, type Mark, numbersOf, toRegion } from "./region.ts";

/**
 * A tracker's answers frame by frame, as rows of numbers: one is a mark, four are a box, more are a
 * polygon.
 */
export class Trajectory implements Iterable<Answer> {
  readonly rows: NumberRows;

  /** @param rows As above, without a NaN. */
  constructor(rows: NumberRows) {
    this.rows = rows;
  }

  static of(answers: Iterable<Answer>): Trajectory {
    const rows = new NumberRowsBuilder();
    for (const answer of answers) {
      rows.push(typeof answer === "number" ? [answer] : numbersOf(answer));
    }
    return new Trajectory(rows.build());
  }

  /** Number of frames. */
  get length(): number {
    return this.rows.length;
  }

  /** The mark in a frame; undefined where there is a region. */
  markAt(frame: number): Mark | undefined {
    const { rows } = this, start = rows.start(frame);
    return rows.end(frame) - start === 1 ? rows.numbers[start] as Mark : undefined;
  }

  at(frame: number): Answer {
    return this.markAt(frame) ?? toRegion(this.rows.row(frame))!;
  }

  *[Symbol.iterator](): Generator<Answer> {
    for (let i = 0; i < this.length; i++) yield this.at(i);
  }

  /** The answers in the first frames, as many. */
  first(frames: number): Trajectory {
    return new Trajectory(this.rows.first(frames));
  }
}
