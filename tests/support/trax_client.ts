/**
 * A TraX client, written from the description of the protocol alone: it shares no code with the
 * server, so that a mistake in one is not repeated in the other.
 */

/** A message from the server. */
export interface Received {
  readonly type: string;
  readonly args: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
}

/** Talks to a server over its standard streams, or any others. */
export class TraxClient {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #lines: AsyncIterator<string>;
  /** Lines that were no messages. */
  readonly noise: string[] = [];

  constructor(
    { input, output }: {
      /** What the server reads. */
      readonly input: WritableStream<Uint8Array>;
      /** What the server writes. */
      readonly output: ReadableStream<Uint8Array>;
    },
  ) {
    this.#writer = input.getWriter();
    this.#lines = lines(output);
  }

  /** Sends a message, every argument in quotes. */
  async send(type: string, args: readonly string[] = [], named: Record<string, string> = {}) {
    const all = [...args, ...Object.keys(named).map((key) => `${key}=${named[key]}`)];
    let line = `@@TRAX:${type}`;
    for (const argument of all) {
      line += ' "';
      for (const char of argument) {
        line += char === '"' || char === "\\" ? `\\${char}` : char === "\n" ? "\\n" : char;
      }
      line += '"';
    }
    await this.sendText(`${line}\n`);
  }

  /** Sends anything. */
  async sendText(text: string): Promise<void> {
    await this.#writer.write(new TextEncoder().encode(text));
  }

  /** The next message; undefined once the server has closed its side. */
  async receive(): Promise<Received | undefined> {
    for (;;) {
      const { value: line, done } = await this.#lines.next();
      if (done) return undefined;
      if (line.startsWith("@@TRAX:")) return read(line.slice("@@TRAX:".length));
      this.noise.push(line);
    }
  }

  /** The next message, which must be a state, as its numbers. */
  async state(): Promise<number[]> {
    const message = await this.receive();
    if (message?.type !== "state") throw new Error(`Expected a state: ${JSON.stringify(message)}`);
    return message.args[0].split(",").map(Number);
  }

  /** Goes away without a word. */
  async close(): Promise<void> {
    await this.#writer.close();
  }
}

async function* lines(output: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of output.pipeThrough(new TextDecoderStream() as never)) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
  if (rest !== "") yield rest;
}

/** Reads character by character, as the description tells it. */
function read(line: string): Received {
  const words: string[] = [];
  let word: string | undefined, isQuoted = false;
  for (let i = 0; i < line.length; i++) {
    const char = line[i];
    if (char === "\\") {
      i++;
      word = (word ?? "") + (line[i] === "n" ? "\n" : line[i]);
    } else if (char === '"') {
      isQuoted = !isQuoted;
      word ??= "";
    } else if (char === " " && !isQuoted) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (word !== undefined) words.push(word);
  const [type, ...rest] = words;
  const named = rest.filter((text) => /^[\w.]{1,64}=/.test(text));
  return {
    type,
    args: rest.filter((text) => !named.includes(text)),
    properties: Object.fromEntries(named.map((text) => {
      const at = text.indexOf("=");
      return [text.slice(0, at), text.slice(at + 1)];
    })),
  };
}
