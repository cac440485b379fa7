/**
 * The training as text for a terminal or a plain stream: the caller only writes what comes out.
 *
 * @module
 */
import type { MeteredStep } from "./meters.ts";
import { formatFixed, padded, splitTime, stepMessages } from "./report_lines.ts";

/** Moves to the start of the line and clears it. */
const CLEAR_LINE = "\r\x1b[K";

/**
 * Turns metered steps into text: the lines of {@link stepMessages}, and on a terminal a live bar
 * below them.
 *
 * @example Plain lines where the output is no terminal
 * ```ts ignore
 * const columns = Deno.stdout.isTerminal() ? () => Deno.consoleSize().columns : undefined;
 * const view = new ProgressView({ printEvery: 20, columns });
 * for await (const step of steps) write(view.step(step));
 * write(view.end());
 * ```
 */
export class ProgressView {
  readonly #printEvery: number;
  readonly #columns?: () => number;
  #bar = "";

  /**
   * @param printEvery Steps from one printed report of the losses to the next.
   * @param columns Columns of the terminal, asked anew for each step; absent where the text does
   *   not go to a terminal.
   */
  constructor({ printEvery, columns }: { printEvery: number; columns?: () => number }) {
    this.#printEvery = printEvery;
    this.#columns = columns;
  }

  /** What to write after a step; often empty where there is no terminal. */
  step(step: MeteredStep): string {
    const lines = stepMessages(step, { printEvery: this.#printEvery });
    const bar = this.#columns ? progressBar(step, this.#columns()) : "";
    return this.#replaceBar(lines, bar);
  }

  /** Text that shows a message of another origin above the bar. */
  message(message: string): string {
    return this.#replaceBar([message], this.#bar);
  }

  /** What to write at the end, or before an error: the last bar stays, the cursor goes below it. */
  end(): string {
    const text = this.#bar ? "\n" : "";
    this.#bar = "";
    return text;
  }

  #replaceBar(lines: readonly string[], bar: string): string {
    const clear = this.#bar ? CLEAR_LINE : "";
    this.#bar = bar;
    return clear + lines.map((line) => `${line}\n`).join("") + bar;
  }
}

/**
 * One line, shorter than `columns`: epoch, bar, share, loss, speed, remaining time, and the share
 * of the time spent waiting for data. What does not fit is left out, the least important first.
 *
 * @returns The empty text where not even the share fits.
 */
export function progressBar(step: MeteredStep, columns: number): string {
  const { done, total } = step.progress;
  const room = columns - 1; // a full line would wrap on some terminals
  const parts = fittingParts(step, room);
  const width = Math.min(room - parts.join("  ").length - 4, 30);
  if (width < 5) return parts.join("  ");
  const filled = Math.round(width * Math.min(done / total, 1));
  return [`[${"=".repeat(filled).padEnd(width)}]`, ...parts].join("  ");
}

function fittingParts({ report, averages, progress }: MeteredStep, room: number): string[] {
  const { done, total, secondsPerStep, remainingSeconds } = progress;
  const waiting = averages.data_time.mean / averages.batch_time.mean || 0;
  // In the order of the line; the number ranks importance.
  const parts: readonly (readonly [rank: number, text: string])[] = [
    [0, `${Math.trunc(done / total * 100)}%`],
    [4, `epoch ${report.epoch + 1}`],
    [1, `loss ${formatFixed(averages.total_loss.mean, 4)}`],
    [3, formatSpeed(report.pairsPerSecond, report.batchTime, secondsPerStep)],
    [2, `ETA ${formatRemaining(remainingSeconds)}`],
    [5, `data ${Math.round(waiting * 100)}%`],
  ];
  for (let kept = parts.length; kept > 0; kept--) {
    const texts = parts.filter(([rank]) => rank < kept).map(([, text]) => text);
    if (texts.join("  ").length <= room) return texts;
  }
  return [];
}

/** Pairs a second at the average speed, so that one slow step does not make the figure jump. */
function formatSpeed(pairsPerSecond: number | undefined, batchTime: number, mean: number): string {
  if (pairsPerSecond === undefined) return `${formatFixed(mean, 3)} s/step`;
  return `${formatFixed(pairsPerSecond * batchTime / mean, 1)} pairs/s`;
}

function formatRemaining(total: number): string {
  if (!Number.isFinite(total)) return "?";
  const { days, hours, minutes, seconds } = splitTime(total);
  const clock = [hours, padded(minutes), padded(seconds)].join(":");
  return days > 0 ? `${days}d ${clock}` : clock;
}
