/** A training as a process of its own, started as its user would. */
import { fromFileUrl } from "@std/path";
import { taskFlags } from "./task_flags.ts";

const TRAIN = fromFileUrl(new URL("../train.ts", import.meta.url));

/** Lines of output that are kept, of which the configuration and the model's tree take hundreds. */
const KEPT_LINES = 5000;
/** Those of them that a message shows. */
const SHOWN_LINES = 40;

/** How a training is started. */
export interface TraineeOptions {
  /** File of the experiment. */
  readonly config: string;
  /** Processes that train together. */
  readonly ranks: number;
  /** Module that runs before the program. */
  readonly preload?: URL;
  /** Bytes that a file may have. */
  readonly fileBytes?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** Told of each whole checkpoint. */
  readonly onSaved?: (path: string) => Promise<void> | void;
}

/** How a training ended. */
export interface Ending {
  readonly code: number;
  readonly signal: string | null;
  /** The last lines of both outputs. */
  readonly text: string;
}

/** A running training. */
export class Trainee {
  readonly pid: number;
  readonly ended: Promise<Ending>;
  readonly #options: TraineeOptions;
  readonly #child: Deno.ChildProcess;
  readonly #lines: string[] = [];
  #onLine = () => {};
  #saved = 0;
  #isOver = false;
  #resumedFrom: string | undefined;

  constructor(options: TraineeOptions) {
    this.#options = options;
    const [program, ...args] = commandLine(options);
    this.#child = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      env: {
        NO_COLOR: "1",
        OMPI_MCA_mpi_yield_when_idle: "1",
        GOMP_SPINCOUNT: "0",
        ...options.env,
      },
    }).spawn();
    this.pid = this.#child.pid;
    this.ended = this.#follow();
  }

  /** The checkpoint that it went on from, or `nowhere`; absent while it has not said so. */
  get resumedFrom(): string | undefined {
    return this.#resumedFrom;
  }

  /** Whether it has said something that fits. */
  hasSaid(pattern: RegExp): boolean {
    return this.#lines.some((line) => pattern.test(line));
  }

  /**
   * Waits for so many more checkpoints.
   *
   * @returns Whether they came, or the training ended before.
   */
  async saves(count: number): Promise<boolean> {
    const wanted = this.#saved + count;
    return await this.until(() => this.#saved >= wanted);
  }

  /** Waits until something is true, which is looked at after each line; false if the training ends before. */
  async until(isTrue: () => boolean): Promise<boolean> {
    while (!isTrue() && !this.#isOver) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onLine = resolve;
      await promise;
    }
    return isTrue();
  }

  /** Sends a signal to the training; of several ranks to the one that is given. */
  async signal(name: "KILL" | "TERM" | "INT", rank = 0): Promise<void> {
    const pids = await this.#ranks();
    const pid = pids[rank % Math.max(1, pids.length)] ?? this.pid;
    await new Deno.Command("kill", { args: [`-${name}`, String(pid)], stderr: "null" }).output();
  }

  /** Ends it at once, and waits for that. */
  async kill(rank = 0): Promise<Ending> {
    await this.signal("KILL", rank);
    return await this.ended;
  }

  /** Resident memory of all its processes in MiB. */
  async mebibytes(): Promise<number> {
    const rows = await ask("rss=", ["-p", (await this.#ranks()).join()]);
    return rows.reduce((sum, size) => sum + Number(size), 0) / 1024;
  }

  /** The processes that train: where deno is npm's, it is a script of Node's that starts another deno. */
  async #ranks(): Promise<number[]> {
    const started = this.#options.ranks === 1 ? [this.pid] : await childrenOf(this.pid);
    const ranks = await Promise.all(started.map(async (pid) => {
      const children = await childrenOf(pid, "deno");
      return children.length > 0 ? children : [pid];
    }));
    return ranks.flat();
  }

  async #follow(): Promise<Ending> {
    const streams = [this.#child.stdout, this.#child.stderr];
    await Promise.all(streams.map(async (stream) => {
      for await (const line of linesOf(stream)) await this.#hear(line);
    }));
    const { code, signal } = await this.#child.status;
    this.#isOver = true;
    this.#onLine();
    return { code, signal, text: this.#lines.slice(-SHOWN_LINES).join("\n") };
  }

  async #hear(line: string): Promise<void> {
    this.#lines.push(line);
    if (this.#lines.length > KEPT_LINES) this.#lines.shift();
    const [, resumed] = /^resume from (.+) at epoch \d+ step \d+$/.exec(line) ?? [];
    this.#resumedFrom ??= line.startsWith("nothing to resume") ? "nowhere" : resumed;
    const [, saved] = /^saved (.+)$/.exec(line) ?? [];
    if (saved !== undefined) {
      await this.#options.onSaved?.(saved);
      this.#saved++;
    }
    this.#onLine();
  }
}

/** The command of the task, with its own permissions. */
function commandLine({ config, ranks, preload, fileBytes }: TraineeOptions): string[] {
  return [
    ...fileBytes === undefined ? [] : ["prlimit", `--fsize=${fileBytes}`],
    ...ranks === 1 ? [] : [
      ...["mpirun", "--allow-run-as-root", "--oversubscribe", "--bind-to", "none"],
      ...["-n", String(ranks)],
    ],
    ...["deno", "run", "--no-check", ...taskFlags("train")],
    ...preload ? [`--preload=${fromFileUrl(preload)}`] : [],
    ...[TRAIN, "--config", config, "--resume", "auto"],
  ];
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== "") yield rest;
}

/** Ids of a process's children, of a program or of any. */
async function childrenOf(pid: number, program?: string): Promise<number[]> {
  const rows = await ask("pid=,comm=", ["--ppid", String(pid)]);
  return rows.map((row) => row.trim().split(/\s+/))
    .filter(([, name]) => program === undefined || name === program)
    .map(([id]) => Number(id));
}

/** Columns of some processes' table, a row a process. */
async function ask(columns: string, which: readonly string[]): Promise<string[]> {
  const command = new Deno.Command("ps", { args: ["-o", columns, ...which], stderr: "null" });
  return new TextDecoder().decode((await command.output()).stdout).split("\n").filter(Boolean);
}
