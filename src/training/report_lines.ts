/**
 * The lines a training prints, in the form of the published trainer
 * (`tools/train.py`, `siamban/utils/log_helper.py`), so that scripts which read its logs read ours.
 *
 * @module
 */
import { type Average, type MeteredStep, type Progress, type Quantity } from "./meters.ts";
import type { StepReport } from "./report.ts";

/**
 * Everything a step has to say: the rates when a new epoch starts, a skipped update, and, every
 * `printEvery` steps, losses and progress. Each message may have several lines.
 *
 * @param printEvery Steps from one report of the losses to the next; counted over the whole
 *   training.
 */
export function stepMessages(
  step: MeteredStep,
  { printEvery }: { printEvery: number },
): readonly string[] {
  const { report } = step;
  const messages: string[] = [];
  if (report.step === 0 && report.globalStep > 0) messages.push(...formatEpochStart(report));
  if (report.skipped !== undefined) messages.push(formatSkipped(report));
  // Parity: the published trainer overwrites its step counter with the number of parameter groups
  // in the first step of each later epoch, and then prints or not by chance.
  if ((report.globalStep + 1) % printEvery === 0) {
    messages.push(formatStep(step), formatProgress(step.progress));
  }
  return messages;
}

/** `epoch: 2` and one line a parameter group with its learning rate. */
export function formatEpochStart({ epoch, groupLrs }: StepReport): readonly string[] {
  const lines = groupLrs.map((lr) => `epoch ${epoch + 1} lr ${formatNumber(lr)}`);
  return [`epoch: ${epoch + 1}`, ...lines];
}

/** Epoch, step, base rate, then name, value and average of each quantity, two a line. */
export function formatStep({ report, averages }: MeteredStep): string {
  const { epoch, step, stepsPerEpoch, lr } = report;
  // Parity: the last step of an epoch is printed as 0.
  const position = `[${epoch + 1}][${(step + 1) % stepsPerEpoch}/${stepsPerEpoch}]`;
  const entries = Object.entries(averages) as [Quantity, Average][];
  const cells = entries.map(([name, average], i) =>
    i % 2 === 0 ? `\t${formatAverage(name, average)}\t` : `${formatAverage(name, average)}\n`
  );
  return `Epoch: ${position} lr: ${formatFixed(lr, 6)}\n${cells.join("")}`;
}

/** `name: last (mean)`, six decimals. */
export function formatAverage(name: string, { last, mean }: Average): string {
  return `${name}: ${formatFixed(last, 6)} (${formatFixed(mean, 6)})`;
}

/** Steps done, speed, and the remaining time as days:hours:minutes; ends in an empty line. */
export function formatProgress(progress: Progress): string {
  const { done, total, secondsPerStep, remainingSeconds } = progress;
  const percent = Math.trunc(done / total * 100);
  const { days, hours, minutes } = splitTime(remainingSeconds);
  const eta = [days, padded(hours), padded(minutes)].join(":");
  return `Progress: ${done} / ${total} [${percent}%], ` +
    `Speed: ${formatFixed(secondsPerStep, 3)} s/iter, ETA ${eta} (D:H:M)\n`;
}

/** Why a step changed nothing, with its place and losses. */
export function formatSkipped({ epoch, step, losses, skipped }: StepReport): string {
  const terms = `cls_loss: ${formatFixed(losses.cls, 6)} loc_loss: ${formatFixed(losses.loc, 6)}`;
  return `Skipped: epoch ${epoch + 1} step ${step + 1}, ${terms}, ${skipped}`;
}

/** Whole days, hours, minutes and seconds of a time in seconds. */
export function splitTime(
  seconds: number,
): { days: number; hours: number; minutes: number; seconds: number } {
  return {
    days: Math.floor(seconds / 86400),
    hours: Math.floor(seconds / 3600) % 24,
    minutes: Math.floor(seconds / 60) % 60,
    seconds: Math.floor(seconds) % 60,
  };
}

/** A whole number with at least two digits. */
export function padded(value: number): string {
  return String(value).padStart(2, "0");
}

/** A number with a fixed count of decimals, as C's `%.nf`: exact ties go to the even digit. */
export function formatFixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return formatNumber(value);
  const rounded = value.toFixed(decimals);
  const exact = value.toFixed(100);
  const end = exact.indexOf(".") + 1 + decimals;
  const isTie = /^50*$/.test(exact.slice(end));
  // toFixed() rounds a tie away from zero.
  return isTie && /[02468]$/.test(exact.slice(0, end)) ? exact.slice(0, end) : rounded;
}

/** The shortest text that reads back as the same number, as Python writes it (`5e-05`, `1.0`). */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  const [mantissa, exponent] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power < -4 || power >= 16) {
    return `${mantissa}e${power < 0 ? "-" : "+"}${padded(Math.abs(power))}`;
  }
  if (Number.isInteger(value)) return `${value}.0`;
  // Not String(value): it turns to exponents below 1e-6 only, which is covered above.
  return String(value);
}
