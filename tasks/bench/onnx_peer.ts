/** What of onnxruntime-node is used here. */
interface Runtime {
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => unknown;
  readonly InferenceSession: {
    create(path: string, options: object): Promise<Session>;
  };
}

interface Session {
  run(feeds: Record<string, unknown>): Promise<Record<string, { readonly data: Float32Array }>>;
  release(): Promise<void>;
}

/** An array as the graph takes it, channels first. */
export interface OnnxInput {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

// Not in deno.json: only this comparison needs it, and it is large.
const PACKAGE = "npm:onnxruntime-node@^1.20.1";

/** A network in ONNX Runtime, from template features and search image to scores and distances. */
export class OnnxPeer implements AsyncDisposable {
  readonly #session: Session;
  readonly #feeds: Record<string, unknown>;

  private constructor(session: Session, feeds: Record<string, unknown>) {
    this.#session = session;
    this.#feeds = feeds;
  }

  /**
   * Loads a graph of `torch_peer.py`'s `export`, with all of the runtime's optimisations and its own
   * choice of how threads wait.
   *
   * @param inputs By the graph's names.
   * @throws {Error} If ONNX Runtime is not there or cannot read the graph.
   */
  static async open(
    path: string,
    { inputs, threads }: {
      readonly inputs: Readonly<Record<string, OnnxInput>>;
      readonly threads: number;
    },
  ): Promise<OnnxPeer> {
    const { InferenceSession, Tensor }: Runtime = await import(PACKAGE);
    const session = await InferenceSession.create(path, {
      executionProviders: ["cpu"],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: "all",
    });
    const feeds = Object.entries(inputs).map(([name, { values, shape }]) => [
      name,
      new Tensor("float32", values, shape),
    ]);
    return new OnnxPeer(session, Object.fromEntries(feeds));
  }

  /** What the graph answers, channel by channel. */
  async answer(): Promise<{ readonly cls: Float32Array; readonly loc: Float32Array }> {
    const { cls, loc } = await this.#session.run(this.#feeds);
    return { cls: cls.data, loc: loc.data };
  }

  /** Seconds of each of some search images. */
  async frames(count: number): Promise<number[]> {
    const times: number[] = [];
    for (let i = 0; i < count; i++) {
      const start = performance.now();
      await this.#session.run(this.#feeds);
      times.push((performance.now() - start) / 1000);
    }
    return times;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }
}
