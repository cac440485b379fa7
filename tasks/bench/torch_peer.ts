import { dirname, join } from "@std/path";
import type { StepBench } from "./training_step.ts";
import source from "./torch_peer.py" with { type: "text" };
import siambanSource from "./siamban_peer.py" with { type: "text" };
import trackingSource from "./tracking_peer.py" with { type: "text" };

/** The same model in PyTorch, in a process of its own that takes one command at a time. */
export class TorchPeer implements AsyncDisposable {
  readonly version: string;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;
  readonly #script: string;

  private constructor(
    child: Deno.ChildProcess,
    { lines, version, script }: {
      readonly lines: AsyncIterator<string>;
      readonly version: string;
      readonly script: string;
    },
  ) {
    this.#child = child;
    this.#writer = child.stdin.getWriter();
    this.#lines = lines;
    this.version = version;
    this.#script = script;
  }

  /**
   * Starts the peer with the first Python that has PyTorch.
   *
   * @param threads CPU threads of PyTorch.
   * @param device Where its model lies.
   * @returns Nothing where no Python has it, or it does not see the device.
   */
  static async start(
    threads: number,
    device: "cpu" | "cuda" = "cpu",
  ): Promise<TorchPeer | undefined> {
    for (const python of [Deno.env.get("PYTHON") ?? "python3", "/usr/bin/python3"]) {
      if (!await hasTorch(python, device)) continue;
      // Files of their own, so that this works where the program is one bundled file.
      const folder = await Deno.makeTempDir();
      const script = join(folder, "torch_peer.py");
      await Deno.writeTextFile(script, source);
      await Deno.writeTextFile(join(folder, "siamban_peer.py"), siambanSource);
      await Deno.writeTextFile(join(folder, "tracking_peer.py"), trackingSource);
      const child = new Deno.Command(python, {
        args: [script, String(threads), device],
        stdin: "piped",
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const lines = readLines(child.stdout);
      const { torch } = JSON.parse((await lines.next()).value ?? "{}");
      return new TorchPeer(child, { lines, version: torch, script });
    }
    return undefined;
  }

  /** For files that it is to read or to write; it goes with the peer. */
  get folder(): string {
    return dirname(this.#script);
  }

  /** Runs one command of `torch_peer.py` and gives its answer. */
  async run(command: string): Promise<Record<string, number>> {
    await this.#writer.write(new TextEncoder().encode(`${command}\n`));
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`Cannot time PyTorch: its process ended at "${command}"`);
    const answer = JSON.parse(value);
    if (answer.error) throw new Error(`Cannot time PyTorch: "${command}" gave ${answer.error}`);
    return answer;
  }

  /** Builds a network with the weights, the batch and the regime of one of ours. */
  async take(name: string, bench: StepBench): Promise<void> {
    const path = join(this.folder, "network.pth");
    await bench.write(path);
    await this.run(`network ${name} ${bench.trained.join() || "none"} ${path}`);
    await Deno.remove(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#lines.return?.();
    await this.#child.status;
    await Deno.remove(this.folder, { recursive: true });
  }
}

async function hasTorch(python: string, device: "cpu" | "cuda"): Promise<boolean> {
  try {
    const { success } = await new Deno.Command(python, {
      args: [
        "-c",
        device === "cuda" ? "import torch; torch.zeros(1).cuda()" : "import torch",
      ],
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
