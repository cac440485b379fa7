/** One undisturbed training and one that is disturbed, side by side, and whether they come to the same. */
import { join } from "@std/path";
import { Rng } from "../../mod.ts";
import { bound } from "./bounded_folder.ts";
import { checkpointDigest } from "./checkpoint_digest.ts";
import { faultsOf } from "./faults.ts";
import { type MemorySample, memorySlope } from "./memory_slope.ts";
import { soakRecipe, STEPS_PER_EPOCH } from "./recipe.ts";
import { Scene, SoakFault } from "./scene.ts";
import { Trainee } from "./trainee.ts";

/** What a soak is asked for. */
export interface SoakOptions {
  readonly minutes: number;
  /** After how many faults it ends, if that is before; then the undisturbed training follows, as far as need be. */
  readonly faults?: number;
  /** Names of the faults; all. */
  readonly only?: readonly string[];
  readonly seed: number;
  /** Processes of each training. */
  readonly ranks: number;
  /** An empty folder. */
  readonly folder: string;
  /** Whether the disturbed training writes to a small disk of its own. */
  readonly bounded: boolean;
}

/** What came of it. */
export interface SoakReport {
  readonly seconds: number;
  readonly seed: number;
  /** Faults injected, by name. */
  readonly injected: Readonly<Record<string, number>>;
  /** Of how many the training did as it should, and went on. */
  readonly survived: number;
  /** What it did else. */
  readonly failures: readonly string[];
  /** Epoch ends that both trainings reached, and of how many all bits were equal. */
  readonly epochs: { readonly compared: number; readonly equal: number; readonly last: number };
  readonly bitsEqual: boolean;
  readonly steps: { readonly undisturbed: number; readonly disturbed: number };
  /** Of the undisturbed training: resident memory at the end, and how it grows, MiB a thousand steps. */
  readonly memory: { readonly mebibytes: number; readonly slope: number };
}

/** What a soak tells as it goes. */
export interface SoakEvent {
  readonly fault: string;
  readonly seconds: number;
  /** What went wrong, if anything. */
  readonly failure?: string;
}

/** A training, and the digests of its epochs' ends. */
class Course {
  readonly config: string;
  readonly data: string;
  readonly out: string;
  readonly digests = new Map<number, string>();
  /** Epochs that came to other bits when they were trained once more. */
  readonly changed: number[] = [];

  constructor(folder: string, name: string) {
    this.config = join(folder, `${name}.json`);
    this.data = join(folder, `${name}-data`);
    this.out = join(folder, name);
  }

  async write(seed: number): Promise<void> {
    await Deno.writeTextFile(this.config, JSON.stringify(soakRecipe(this, seed)));
  }

  /** The newest epoch whose end is known. */
  get last(): number {
    return Math.max(0, ...this.digests.keys());
  }

  /** Takes note of a checkpoint that has become whole. */
  async note(path: string): Promise<void> {
    const [, epoch] = /checkpoint_e(\d+)\.safetensors$/.exec(path) ?? [];
    if (epoch === undefined) return;
    const digest = await checkpointDigest(path);
    const before = this.digests.get(Number(epoch)) ?? digest;
    if (before !== digest) this.changed.push(Number(epoch));
    this.digests.set(Number(epoch), digest);
  }
}

/**
 * Trains twice side by side, once undisturbed and once from fault to fault, and compares the ends of all epochs.
 *
 * @throws {RangeError} If `only` names an unknown fault.
 */
export async function* soak(options: SoakOptions): AsyncGenerator<SoakEvent, SoakReport> {
  const { seed, ranks, folder, bounded } = options;
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const kinds = chosenFaults(options);
  const calm = new Course(folder, "undisturbed"), torn = new Course(folder, "disturbed");
  await Promise.all([calm.write(seed), torn.write(seed)]);
  if (bounded) {
    // When its disk is gone there is a folder of this name none the less, on another disk.
    await Deno.mkdir(join(torn.out, "snapshot"), { recursive: true });
    await bound(torn.out);
  }
  const memory: MemorySample[] = [];
  let undisturbed: Trainee | undefined;
  const train = () =>
    undisturbed ??= new Trainee({
      config: calm.config,
      ranks,
      onSaved: async (path) => {
        await calm.note(path);
        const mebibytes = await undisturbed!.mebibytes();
        memory.push({ steps: calm.last * STEPS_PER_EPOCH, mebibytes });
      },
    });
  try {
    if (options.faults === undefined) train();
    const rng = new Rng(seed);
    const scene = new Scene({
      ...{ rng, ranks, bounded, config: torn.config, data: torn.data, out: torn.out },
      onSaved: (path) => torn.note(path),
    });
    const injected: Record<string, number> = {}, failures: string[] = [];
    let count = 0;
    for (const [name, fault] of shuffledForEver(kinds, rng)) {
      if (count === options.faults || seconds() > 60 * options.minutes) break;
      count++;
      injected[name] = (injected[name] ?? 0) + 1;
      const failure = await failureOf(() => fault(scene));
      if (failure !== undefined) failures.push(`${name}: ${failure}`);
      yield { fault: name, seconds: seconds(), ...failure === undefined ? {} : { failure } };
    }
    const atEnd = await failureOf(() => finish(scene, torn)) ??
      await failureOf(() => catchUp(train(), calm, torn));
    if (atEnd !== undefined) failures.push(`at the end: ${atEnd}`);
    return {
      seconds: seconds(),
      seed,
      injected,
      survived: count - failures.length,
      failures,
      ...comparison(calm, torn),
      memory: { mebibytes: memory.at(-1)?.mebibytes ?? NaN, slope: memorySlope(memory) },
    };
  } finally {
    await undisturbed?.kill();
  }
}

/** Trains to the end of two more epochs after all that has happened, and leaves as it should. */
async function finish(scene: Scene, course: Course): Promise<void> {
  const wanted = course.last + 2;
  await scene.run(async (trainee) => {
    await trainee.until(() => course.last >= wanted);
    await trainee.signal("TERM");
    await scene.ends(trainee, 75);
  });
}

async function catchUp(trainee: Trainee, calm: Course, torn: Course): Promise<void> {
  if (await trainee.until(() => calm.last >= torn.last)) return;
  const { code, signal, text } = await trainee.ended;
  throw new SoakFault(`the undisturbed training ended with ${signal ?? code}:\n${text}`);
}

function comparison(
  calm: Course,
  torn: Course,
): Pick<SoakReport, "epochs" | "bitsEqual" | "steps"> {
  const common = [...torn.digests.keys()].filter((epoch) => calm.digests.has(epoch));
  const equal = common.filter((epoch) =>
    torn.digests.get(epoch) === calm.digests.get(epoch) && !torn.changed.includes(epoch)
  );
  return {
    epochs: { compared: common.length, equal: equal.length, last: Math.max(0, ...common) },
    bitsEqual: common.length > 0 && equal.length === common.length,
    steps: {
      undisturbed: calm.last * STEPS_PER_EPOCH,
      disturbed: torn.last * STEPS_PER_EPOCH,
    },
  };
}

function chosenFaults({ only, bounded }: SoakOptions) {
  const all = faultsOf({ bounded });
  const unknown = only?.find((name) => !Object.hasOwn(all, name));
  if (unknown !== undefined) {
    throw new RangeError(
      `Cannot inject "${unknown}", expected some of ${Object.keys(all).join(", ")}`,
    );
  }
  return Object.entries(all).filter(([name]) => only?.includes(name) ?? true);
}

/** All of them in some order, then in another, and so on. */
function* shuffledForEver<T>(values: readonly T[], rng: Rng): Generator<T, never> {
  while (true) {
    const left = [...values];
    while (left.length > 0) yield* left.splice(rng.integer(left.length), 1);
  }
}

/** What went wrong, if it is the training's fault. */
async function failureOf(run: () => Promise<void>): Promise<string | undefined> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof SoakFault)) throw error;
    return error.message;
  }
}
