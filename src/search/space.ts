/** What is searched: parameters with their values. */

/** A parameter. Samplers see its values as numbers from 0 to 1. */
export interface Dimension {
  readonly name: string;
  /** As it was written, such as `0.1:0.9` or `log:0.01:1`. */
  readonly text: string;
  /** Number of values, where they are listed or lie a step apart. */
  readonly count?: number;
  /** Value at a place between 0 and 1. */
  at(unit: number): number;
  /** Place of a value; of one of `count` values the middle of its share. */
  place(value: number): number;
}

/** The parameters of a search; their order is that of grids. */
export type Space = readonly Dimension[];

/** A value for every parameter. */
export type Setting = Readonly<Record<string, number>>;

/**
 * Parses `NAME=LOW:HIGH`, `NAME=LOW:HIGH:STEP`, `NAME=log:LOW:HIGH` (each power of ten alike) or
 * `NAME=A,B,C`.
 *
 * @throws {SyntaxError} If it is something else.
 */
export function parseDimension(text: string): Dimension {
  const match = /^([\w.]+)=(.+)$/.exec(text);
  if (!match) throw new SyntaxError(`Cannot search "${text}": expected NAME=LOW:HIGH`);
  const [, name, range] = match;
  const fail = (reason: string): never => {
    throw new SyntaxError(
      `Cannot search ${name} in "${range}": ${reason}, ` +
        "expected LOW:HIGH, LOW:HIGH:STEP, log:LOW:HIGH or A,B,C",
    );
  };
  const isLog = range.startsWith("log:");
  const words = isLog ? range.slice(4).split(":") : range.split(/[:,]/);
  const numbers = words.map((word) => word.trim() === "" ? NaN : Number(word));
  if (!numbers.every(Number.isFinite)) fail("found what is no number");
  if (range.includes(",") || numbers.length === 1) {
    return listed(name, range, [...new Set(numbers)]);
  }
  const [low, high, step] = numbers;
  if (!(low < high)) fail("the upper end is not above the lower");
  if (isLog) {
    return numbers.length === 2 && low > 0
      ? logarithmic(name, range, [low, high])
      : fail("a logarithm needs two ends above 0");
  }
  if (numbers.length === 2) return linear(name, range, [low, high]);
  if (numbers.length > 3 || !(step > 0) || (high - low) / step > 10_000) fail("the step is wrong");
  const count = Math.floor((high - low) / step + 1e-9) + 1;
  return listed(name, range, Array.from({ length: count }, (_, i) => round(low + i * step)));
}

/** Six digits: what is printed is what was tried. */
function round(value: number): number {
  return Number(value.toPrecision(6));
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}

type Ends = readonly [low: number, high: number];

function linear(name: string, text: string, [low, high]: Ends): Dimension {
  return {
    name,
    text,
    at: (unit) => clamp(round(low + unit * (high - low)), low, high),
    place: (value) => clamp((value - low) / (high - low), 0, 1),
  };
}

function logarithmic(name: string, text: string, [low, high]: Ends): Dimension {
  const ratio = Math.log(high / low);
  return {
    name,
    text,
    at: (unit) => clamp(round(low * Math.exp(unit * ratio)), low, high),
    place: (value) => clamp(Math.log(value / low) / ratio, 0, 1),
  };
}

function listed(name: string, text: string, values: readonly number[]): Dimension {
  const count = values.length;
  return {
    name,
    text,
    count,
    at: (unit) => values[clamp(Math.floor(unit * count), 0, count - 1)],
    place: (value) => (values.indexOf(value) + 0.5) / count,
  };
}

/**
 * The values of a grid's n-th point; the last parameter changes first.
 *
 * @param points Setting taken of a parameter that has no list of its own, both ends among them.
 * @returns Undefined past the last point.
 */
export function gridPoint(space: Space, n: number, points: number): Setting | undefined {
  const values: Record<string, number> = {};
  for (const parameter of space.toReversed()) {
    const count = parameter.count ?? points, i = n % count;
    n = Math.floor(n / count);
    values[parameter.name] = parameter.at(
      parameter.count ? (i + 0.5) / count : count === 1 ? 0.5 : i / (count - 1),
    );
  }
  return n > 0 ? undefined : inOrder(space, values);
}

/** Number of points of a grid. */
export function gridSize(space: Space, points: number): number {
  return space.reduce((product, { count }) => product * (count ?? points), 1);
}

/** Setting in the order of the parameters. */
export function inOrder(space: Space, values: Setting): Setting {
  return Object.fromEntries(space.map(({ name }) => [name, values[name]]));
}
