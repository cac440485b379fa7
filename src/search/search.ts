import type { Benchmark } from "../evaluation/benchmarks/mod.ts";
import type { Convention } from "../evaluation/conventions.ts";
import { type Measure, PROTOCOLS } from "../evaluation/protocols/mod.ts";
import type { RawResult } from "../evaluation/results.ts";
import { parseResultText, resultText } from "../evaluation/run/result_files.ts";
import type { Sequence } from "../evaluation/sequence.ts";
import type { Image } from "../image/image.ts";
import { Rng } from "../random.ts";
import type { SiamBANTrackerOptions } from "../tracking/steps.ts";
import { type Method, type Observation, suggest } from "./samplers.ts";
import { type TrackingModel, trackSideBySide } from "./side_by_side.ts";
import { inOrder, type Setting, type Space } from "./space.ts";
import type { Claim, Study, Trial } from "./study.ts";

/** What is searched, and on what. */
export interface SearchOptions {
  readonly study: Study;
  readonly space: Space;
  readonly method: Method;
  readonly seed: number;
  /** Settings in all. */
  readonly trials: number;
  /** Settings evaluated side by side; 8 by default. */
  readonly sideBySide?: number;
  /** Searches that go through the network at once. */
  readonly batch?: number;
  /** Setting a parameter in a grid. */
  readonly gridPoints?: number;
  readonly model: TrackingModel;
  /** @throws {RangeError} If the tracker cannot have these values; the setting then counts as failed. */
  readonly settingOf: (values: Setting) => SiamBANTrackerOptions | Promise<SiamBANTrackerOptions>;
  readonly benchmark: Benchmark;
  readonly sequences: readonly Sequence[];
  readonly convention: Convention;
  /** The figure that is searched for. */
  readonly measure: Measure;
  /** The pictures of a sequence. */
  readonly framesOf: (sequence: Sequence) => AsyncIterable<Image>;
}

/** What happens in a search. */
export type SearchEvent =
  | {
    readonly kind: "sequence";
    readonly name: string;
    /** Which sequence it is, from 1, of how many. */
    readonly number: number;
    readonly of: number;
    /** Settings tracked, their searches, and how many of them the network had to answer. */
    readonly settings: number;
    readonly searches: number;
    readonly answered: number;
  }
  | { readonly kind: "trial"; readonly trial: Trial }
  /** Nothing is left to begin; other programs work on so many settings, or have died over them. */
  | { readonly kind: "waiting"; readonly settings: number };

/** Milliseconds between two looks at what other programs have done. */
const LOOK_AFTER = 500;

/**
 * Evaluates settings until the study has as many as were asked for; results of this program and of
 * others that work on the same study count alike. When nothing is left to begin it waits for the
 * others, and takes over what one of them has died over.
 *
 * @throws {Error} If a picture cannot be read.
 */
export async function* search(options: SearchOptions): AsyncGenerator<SearchEvent> {
  const { study, trials: limit, sideBySide = 8 } = options;
  for (let waiting = false;;) {
    const claims = study.claim({
      count: sideBySide,
      limit,
      suggest: (number, before) => next(options, number, before),
    });
    if (claims.length === 0) {
      const settings = study.running;
      if (settings === 0) return;
      if (!waiting) yield { kind: "waiting", settings };
      waiting = true;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AFTER));
      continue;
    }
    waiting = false;
    yield* evaluate(claims, options);
  }
}

function next(
  { method, space, seed, measure, gridPoints }: SearchOptions,
  number: number,
  before: readonly Trial[],
): Setting | undefined {
  const sign = measure.better === "higher" ? 1 : -1;
  const observed = before.map(({ values, score, state }): Observation => ({
    values,
    // What cannot be evaluated is as bad as can be.
    score: state === "failed" ? -Infinity : score === undefined ? undefined : sign * score,
  }));
  return suggest(method, { space, number, observed, rng: new Rng(seed, number) }, { gridPoints });
}

async function* evaluate(
  claims: readonly Claim[],
  options: SearchOptions,
): AsyncGenerator<SearchEvent> {
  const { study, space, settingOf, sequences, benchmark: { protocol } } = options;
  const lanes: (Claim & { setting: SiamBANTrackerOptions; results: Map<string, RawResult> })[] = [];
  for (const claim of claims) {
    try {
      const results = new Map(
        [...claim.parts].map(([name, text]) => [name, parseResultText(text, protocol)]),
      );
      lanes.push({ ...claim, setting: await settingOf(claim.values), results });
    } catch (error) {
      study.fail(claim.number, (error as Error).message);
      const { number, values } = claim, reason = (error as Error).message;
      yield { kind: "trial", trial: { number, values, state: "failed", reason } };
    }
  }
  for (const [i, sequence] of sequences.entries()) {
    const missing = lanes.filter(({ results }) => !results.has(sequence.name));
    if (missing.length === 0) continue;
    const settings = missing.map(({ setting }) => setting);
    const { results, ...counts } = await trackSideBySide(options.model, {
      frames: renewing(options.framesOf(sequence), study),
      truth: sequence.truth,
      protocol,
      settings,
      batch: options.batch,
    });
    missing.forEach(({ number, results: known }, i) => {
      const text = resultText(results[i], protocol);
      // As it is written and read: the figures of a benchmark that is run, begun anew or gone on with.
      known.set(sequence.name, parseResultText(text, protocol));
      study.keepPart(number, sequence.name, text);
    });
    const place = { name: sequence.name, number: i + 1, of: sequences.length };
    yield { kind: "sequence", ...place, settings: settings.length, ...counts };
  }
  for (const { number, values, results } of lanes) {
    const figures = scoreResults(options, results), score = figures[options.measure.key];
    if (Number.isNaN(score)) study.fail(number, `there is no ${options.measure.title}`);
    else study.finish(number, score, figures);
    const state = Number.isNaN(score) ? "failed" : "done";
    yield {
      kind: "trial",
      trial: { number, state, values: inOrder(space, values), score, figures },
    };
  }
}

/** Shows while frames go by that this program lives. */
async function* renewing(frames: AsyncIterable<Image>, study: Study): AsyncGenerator<Image> {
  let last = 0;
  for await (const frame of frames) {
    if (performance.now() - last > study.renewAfterMs) {
      study.renew();
      last = performance.now();
    }
    yield frame;
  }
}

/** Figures of results on all sequences. */
export function scoreResults(
  { benchmark, convention, sequences }: Pick<
    SearchOptions,
    "benchmark" | "convention" | "sequences"
  >,
  results: ReadonlyMap<string, RawResult>,
): Record<string, number> {
  const protocol = PROTOCOLS[benchmark.protocol];
  const rules = { benchmark: benchmark.name, convention, eao: benchmark.eao };
  const scored = sequences.map((sequence) => ({
    sequence,
    ...protocol.scoreSequence(sequence, results.get(sequence.name)!, rules),
  }));
  return { ...protocol.combine(scored, rules).values };
}

/**
 * The figure that a search is for.
 *
 * @param key One of the benchmark's; by default the one that ranks trackers.
 * @throws {RangeError} If there is none of this name.
 */
export function measureFor({ name, protocol }: Benchmark, key?: string): Measure {
  const { measures } = PROTOCOLS[protocol];
  const byDefault = name === "GOT-10k" ? "ao" : measures[0].key;
  const found = measures.find((measure) => measure.key === (key ?? byDefault));
  if (found) return found;
  throw new RangeError(
    `Cannot search for "${key}" on ${name}, expected ${measures.map(({ key }) => key).join(", ")}`,
  );
}
