/**
 * Learning rates: one value an epoch, laid out before training starts.
 *
 * The rate is a pure function of the epoch, so nothing has to be saved or replayed for a resume.
 *
 * @module
 */

/** The shapes a list of rates can take. */
export type LrType = "log" | "step" | "multi-step" | "linear" | "cos";

/**
 * One list of rates; each shape reads only the options it names in {@link buildLrSpace} and has its
 * own defaults.
 */
export interface LrOptions {
  readonly type: LrType;
  /** First rate; `null` (`step`, `multi-step`) derives it from `endLr` and `mult`. */
  readonly startLr?: number | null;
  /** Last rate; with `step` and `multi-step` it replaces `mult`. */
  readonly endLr?: number | null;
  /** Factor at each step. */
  readonly mult?: number;
  /** Epochs between two steps (`step`). */
  readonly step?: number;
  /** Epochs that start with a step (`multi-step`). */
  readonly steps?: readonly number[];
}

/** A list of rates that precedes the main one; `epoch` is its length. */
export interface WarmupOptions extends LrOptions {
  readonly epoch: number;
}

/** The learning rate of every epoch. */
export interface LrSpace {
  /** Base rate of each epoch, `[epochs]`. */
  readonly spaces: Float64Array;
  /** The base rate at which a parameter group runs at its initial rate. */
  readonly startLr: number;
  /**
   * The base rate of an epoch, counted from 0.
   *
   * @throws {RangeError} If the schedule has no such epoch.
   */
  at(epoch: number): number;
  /** The rate of a parameter group in an epoch, in proportion to the group's initial rate. */
  groupLr(epoch: number, initialLr: number): number;
}

interface Curve {
  readonly startLr: number;
  readonly rates: readonly number[];
}

/**
 * Lays out the learning rates of a training (`siamban/utils/lr_scheduler.py`).
 *
 * - `log`: evenly spaced exponents, 0.03 to 0.0005;
 * - `linear`: evenly spaced, 0.01 to 0.005;
 * - `cos`: half a cosine from 0.01 towards 0.005;
 * - `step`: times `mult` (0.1) every `step` (10) epochs, from 0.01;
 * - `multi-step`: times `mult` (0.5) at each of `steps` (10, 20, 30, 40), from 0.01.
 *
 * A warm-up list comes first and shortens the main list by its length.
 *
 * @throws {RangeError} If the epochs do not suffice, or a rate is not a positive number.
 * @throws {TypeError} If `type` is unknown.
 *
 * @example The published recipe of SiamBAN-R50
 * ```ts
 * import { buildLrSpace } from "siamban";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const lr = buildLrSpace({
 *   epochs: 20,
 *   lr: { type: "log", startLr: 0.005, endLr: 0.00005 },
 *   warmup: { type: "step", epoch: 5, startLr: 0.001, endLr: 0.005, step: 1 },
 * });
 * assertAlmostEquals(lr.at(0), 0.001);
 * assertAlmostEquals(lr.at(5), 0.005);
 * assertAlmostEquals(lr.groupLr(5, 0.0005), 0.0005);
 * ```
 */
export function buildLrSpace(
  { epochs, lr, warmup }: { epochs: number; lr: LrOptions; warmup?: WarmupOptions },
): LrSpace {
  const before = warmup ? buildCurve(warmup, warmup.epoch, "warm-up").rates : [];
  const main = buildCurve(lr, epochs - before.length, "main");
  const spaces = Float64Array.from([...before, ...main.rates]);
  // Parity: alone, the list counts from the given first rate; after a warm-up from its first value,
  // which rounding may have moved by a hair.
  const startLr = warmup ? main.rates[0] : main.startLr;
  if (!(startLr > 0)) {
    throw new RangeError(`Cannot scale parameter groups: first rate is ${startLr}, expected > 0`);
  }
  // Parity: the rate depends on the epoch alone. The published trainer builds its scheduler before
  // it knows the epoch it resumes at, and runs the first resumed epoch at the rate of epoch 0.
  const at = (epoch: number) => {
    if (epoch in spaces) return spaces[epoch];
    throw new RangeError(
      `Cannot find the learning rate of epoch ${epoch}: the schedule has epochs 0 to ${
        spaces.length - 1
      }, raise training.epochs`,
    );
  };
  return { spaces, startLr, at, groupLr: (epoch, initialLr) => at(epoch) * initialLr / startLr };
}

function buildCurve(options: LrOptions, epochs: number, list: "main" | "warm-up"): Curve {
  if (!(Number.isInteger(epochs) && epochs >= 1)) {
    throw new RangeError(
      `Cannot build the ${list} learning rates: ${epochs} epochs are left for them, expected 1 or more, ` +
        "check training.epochs and training.lrWarmup.epoch",
    );
  }
  if (!Object.hasOwn(CURVES, options.type)) {
    throw new TypeError(
      `Cannot build the ${list} learning rates: type is "${options.type}", expected one of ${
        Object.keys(CURVES).join(", ")
      }`,
    );
  }
  const curve = CURVES[options.type](options, epochs);
  const bad = [curve.startLr, ...curve.rates].find((rate) => !(Number.isFinite(rate) && rate >= 0));
  if (bad === undefined) return curve;
  throw new RangeError(
    `Cannot build the ${list} learning rates: ${JSON.stringify(options)} over ${epochs} epochs ` +
      `gives the rate ${bad}, expected finite rates that are not negative`,
  );
}

const CURVES: Record<LrType, (options: LrOptions, epochs: number) => Curve> = {
  "log": logCurve,
  "step": stepCurve,
  "multi-step": multiStepCurve,
  "linear": linearCurve,
  "cos": cosCurve,
};

function logCurve({ startLr = 0.03, endLr = 5e-4 }: LrOptions, epochs: number): Curve {
  const [start, end] = [given(startLr, "startLr"), given(endLr, "endLr")];
  const exponents = evenlySpaced(Math.log10(start), Math.log10(end), epochs);
  return { startLr: start, rates: exponents.map((exponent) => 10 ** exponent) };
}

function linearCurve({ startLr = 0.01, endLr = 0.005 }: LrOptions, epochs: number): Curve {
  const [start, end] = [given(startLr, "startLr"), given(endLr, "endLr")];
  return { startLr: start, rates: evenlySpaced(start, end, epochs) };
}

function cosCurve({ startLr = 0.01, endLr = 0.005 }: LrOptions, epochs: number): Curve {
  const [start, end] = [given(startLr, "startLr"), given(endLr, "endLr")];
  // Parity: the published schedule computes this one in float32 throughout.
  const f32 = Math.fround;
  const rate = (epoch: number) => {
    const angle = f32(f32(epoch * f32(Math.PI)) / epochs);
    const share = f32(1 + f32(Math.cos(angle)));
    return f32(f32(f32(f32(start - end) * share) * 0.5) + f32(end));
  };
  return { startLr: start, rates: Array.from({ length: epochs }, (_, epoch) => rate(epoch)) };
}

function stepCurve({ step = 10, ...options }: LrOptions, epochs: number): Curve {
  if (!(step > 0)) {
    throw new RangeError(`Cannot step the learning rate: step is ${step}, expected > 0`);
  }
  const { start, mult } = startAndMult({ mult: 0.1, ...options }, Math.floor(epochs / step));
  const rate = (epoch: number) => start * mult ** Math.floor(epoch / step);
  return { startLr: start, rates: Array.from({ length: epochs }, (_, epoch) => rate(epoch)) };
}

function multiStepCurve(
  { steps = [10, 20, 30, 40], ...options }: LrOptions,
  epochs: number,
): Curve {
  const { start, mult } = startAndMult({ mult: 0.5, ...options }, steps.length);
  const rates = [start];
  for (let epoch = 1; epoch < epochs; epoch++) {
    rates.push(rates[epoch - 1] * (steps.includes(epoch) ? mult : 1));
  }
  // Parity: accumulated in double and stored in float32.
  return { startLr: start, rates: rates.map(Math.fround) };
}

/** First rate and factor such that `changes` steps lead to `endLr`, where one is given. */
function startAndMult(
  { startLr = 0.01, endLr, mult = 1 }: LrOptions,
  changes: number,
): { start: number; mult: number } {
  if (endLr === undefined || endLr === null) return { start: given(startLr, "startLr"), mult };
  if (startLr === null) return { start: endLr / mult ** changes, mult };
  if (changes === 0) {
    throw new RangeError(
      `Cannot reach endLr ${endLr}: no step falls into the epochs of this list, ` +
        "shorten step, name steps, or give mult instead of endLr",
    );
  }
  return { start: startLr, mult: (endLr / startLr) ** (1 / changes) };
}

function given(rate: number | null, name: string): number {
  if (rate !== null) return rate;
  throw new RangeError(`Cannot build the learning rates: ${name} is null, expected a number`);
}

/** `count` numbers from `first` to `last`, both exact. */
function evenlySpaced(first: number, last: number, count: number): number[] {
  const gap = (last - first) / Math.max(count - 1, 1);
  const values = Array.from({ length: count }, (_, i) => first + i * gap);
  if (count > 1) values[count - 1] = last;
  return values;
}
