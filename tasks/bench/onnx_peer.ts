/** What of onnxruntime-node is used here. */
interface Runtime {
  readonly Tensor: new (type: "float32", data: Float32Array, dims: readonly number[]) => unknown;
  readonly InferenceSession: {
    create(path: string, options: object): Promise<Session>;
  };
}

interface Session {
  run(feeds: Record<string, unknown>): Promise<Record<string, unknown>>;
  release(): Promise<void>;
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
   * Loads a graph of `torch_peer.py`'s `export`.
   *
   * @param template Shape of the template features.
   * @throws {Error} If ONNX Runtime is not there or cannot read the graph.
   */
  static async open(
    path: string,
    { template, threads }: { readonly template: readonly number[]; readonly threads: number },
  ): Promise<OnnxPeer> {
    const { InferenceSession, Tensor }: Runtime = await import(PACKAGE);
    const session = await InferenceSession.create(path, {
      executionProviders: ["cpu"],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: "all",
      // Its threads would spin on while the others have their turn.
      extra: { session: { "intra_op.allow_spinning": "0" } },
    });
    const random = (shape: readonly number[], most: number) => {
      const length = shape.reduce((product, size) => product * size, 1);
      return new Tensor(
        "float32",
        Float32Array.from({ length }, () => Math.random() * most),
        shape,
      );
    };
    return new OnnxPeer(session, {
      template: random(template, 1),
      search: random([1, 3, 255, 255], 255),
    });
  }

  /** Seconds of one search image. */
  async frame(): Promise<number> {
    const start = performance.now();
    await this.#session.run(this.#feeds);
    return (performance.now() - start) / 1000;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }
}
