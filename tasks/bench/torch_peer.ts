/** The same model in PyTorch, in a process of its own that takes one command at a time. */
export class TorchPeer implements AsyncDisposable {
  readonly version: string;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;

  private constructor(
    child: Deno.ChildProcess,
    lines: AsyncIterator<string>,
    version: string,
  ) {
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#lines = lines;
    this.version = version;
  }

  /**
   * Starts the peer with the first Python that has PyTorch.
   *
   * @param threads CPU threads of PyTorch.
   * @returns Nothing where no Python has it.
   */
  static async start(threads: number): Promise<TorchPeer | undefined> {
    for (const python of [Deno.env.get("PYTHON") ?? "python3", "/usr/bin/python3"]) {
      if (!await hasTorch(python)) continue;
      const script = new URL("./torch_peer.py", import.meta.url).pathname;
      const child = new Deno.Command(python, {
        args: [script, String(threads)],
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const lines = readLines(child.stdout);
      const { torch } = JSON.parse((await lines.next()).value ?? "{}");
      return new TorchPeer(child, lines, torch);
    }
    return undefined;
  }

  /** Runs one command of `torch_peer.py` and gives its answer. */
  async run(command: string): Promise<Record<string, number>> {
    await this.#writer.write(new TextEncoder().encode(`${command}\n`));
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`Cannot time PyTorch: its process ended at "${command}"`);
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#lines.return?.();
    await this.#child.status;
  }
}

async function hasTorch(python: string): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(python, {
      args: ["-c", "import torch"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream() as never)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    yield* lines;
  }
}
