/**
 * Searches a tracker's settings on a benchmark:
 * `deno task tune --config FILE --weights FILE --benchmark VOT2018 --annotations PATH`.
 */
import {
  type Benchmark,
  type BenchmarkContent,
  benchmarkNamed,
  type Convention,
  CONVENTIONS,
  type ExperimentConfig,
  type Image,
  isTruthHidden,
  loadExperiment,
  type Measure,
  measureFor,
  openTrained,
  PROTOCOLS,
  readBenchmark,
  readImage,
  search,
  type Sequence,
  Study,
  trackerOptions,
  useBackend,
} from "../mod.ts";
import { reportMissing } from "./report_missing.ts";
import { runTask } from "./run_task.ts";
import { tellDecoder } from "./tell_decoder.ts";
import { fail, type Options, overridesOf, readOptions, USAGE } from "./tune/options.ts";
import { follow, tell } from "./tune/report.ts";

/** Runs the command. */
export async function main(args: string[]): Promise<void> {
  const options = readOptions(args);
  if (options.help) return console.log(USAGE);
  const { config, ignored } = await loadExperiment(options.config, {
    overrides: options.overrides,
  });
  for (const reason of ignored) console.log(`Ignored: ${reason}`);
  checkNames(options, config);
  const benchmark = benchmarkNamed(options.benchmark);
  const measure = measureFor(benchmark, options.measure);
  const convention = conventionOf(benchmark, options.convention);
  const content = await readSequences(benchmark, options);
  using study = Study.open(options.study, { leaseSeconds: options.lease });
  study.join(await subjectOf(options, { config, measure, convention, content }));
  tellDecoder();
  const { training } = config;
  await using backend = await useBackend(training.device, training);
  console.log(`Backend: ${backend.name}${backend.note ? ` (slow). ${backend.note}` : ""}`);
  using model = await openTrained(config, options.weights);
  await follow(
    search({
      ...options,
      study,
      model,
      settingOf: async (values) => {
        const overrides = [...options.overrides, ...overridesOf(values)];
        return trackerOptions((await loadExperiment(options.config, { overrides })).config);
      },
      ...content,
      convention,
      measure,
      framesOf,
    }),
    measure,
  );
  await tell({ title: benchmark.name, space: options.space, measure, trials: study.trials() }, {
    ...options,
    running: study.running,
  });
}

function checkNames({ space }: Options, { tracking }: ExperimentConfig): void {
  const known = Object.entries(tracking).filter(([, value]) => typeof value === "number");
  const names = known.map(([name]) => name);
  for (const { name } of space) {
    if (!names.includes(name)) fail(`--range names ${name}, expected ${names.join(", ")}`);
  }
}

function conventionOf(benchmark: Benchmark, name = benchmark.convention as string): Convention {
  const known = Object.values(CONVENTIONS).filter((convention) =>
    PROTOCOLS[benchmark.protocol].knows(convention)
  );
  return known.find((convention) => convention.name === name) ??
    fail(`--convention is "${name}", expected ${known.map(({ name }) => name).join(", ")}`);
}

async function readSequences(
  benchmark: Benchmark,
  { annotations, sequences: names }: Options,
): Promise<BenchmarkContent> {
  const content = await readBenchmark(benchmark, annotations);
  const sequences =
    names?.map((name) =>
      content.sequences.find((sequence) => sequence.name === name) ??
        fail(`there is no sequence "${name}" in "${annotations}"`)
    ) ?? content.sequences;
  if (!names) reportMissing(content);
  if (sequences.length === 0) fail(`there is no sequence in "${annotations}"`);
  for (const sequence of sequences) {
    const { name, frames, truth } = sequence;
    if (isTruthHidden(sequence)) fail(`the truth of "${name}" is not public`);
    if (frames.length < truth.length) {
      fail(`"${name}" has ${frames.length} pictures and ${truth.length} true boxes`);
    }
  }
  return { ...content, sequences };
}

/** What programs that work together must agree on. */
async function subjectOf(
  { weights, space, method, seed, gridPoints }: Options,
  { config, measure, convention, content }: {
    readonly config: ExperimentConfig;
    readonly measure: Measure;
    readonly convention: Convention;
    readonly content: BenchmarkContent;
  },
): Promise<Record<string, string | number>> {
  const { backbone, neck, head, points, tracking } = config;
  const fixed = { ...tracking, ...Object.fromEntries(space.map(({ name }) => [name, "searched"])) };
  const names = content.sequences.map(({ name, truth }) => [name, truth]);
  return {
    benchmark: content.benchmark.name,
    sequences: `${names.length} (${await digest(JSON.stringify(names))})`,
    measure: measure.key,
    convention: convention.name,
    "searched settings": space.map(({ name, text }) => `${name}=${text}`).join(" "),
    method: method === "grid" ? `grid of ${gridPoints}` : method,
    seed,
    experiment: await digest(JSON.stringify({ backbone, neck, head, points, tracking: fixed })),
    weights: await digest(await Deno.readFile(weights)),
  };
}

async function digest(content: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex().slice(0, 16);
}

async function* framesOf({ frames, truth }: Sequence): AsyncGenerator<Image> {
  for (const path of frames.slice(0, truth.length)) yield await readImage(path);
}

if (import.meta.main) await runTask(main);
