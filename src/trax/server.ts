/**
 * A tracker as a TraX server: a client sends pictures, the server answers with regions
 * (trax.readthedocs.io, "TraX protocol specification"). The VOT toolkit is such a client.
 *
 * @module
 */
import type { Region } from "../evaluation/region.ts";
import { startBox } from "../evaluation/start_box.ts";
import type { Tracker } from "../tracking/tracker.ts";
import { formatMessage, readMessages, type TraxMessage } from "./message.ts";
import { PICTURE_FORMS, readPicture } from "./picture.ts";
import { formatRegion, parseRegion, REGION_FORMS } from "./region.ts";
import { TraxError } from "./trax_error.ts";

/** Versions of the protocol. 2 names channels, 4 sends regions apart from pictures and knows several targets. */
export const TRAX_VERSIONS = [1, 2, 3, 4] as const;

/** A version of the protocol. */
export type TraxVersion = (typeof TRAX_VERSIONS)[number];

/** What is served, and over what. */
export interface TraxOptions {
  readonly input: ReadableStream<Uint8Array>;
  readonly output: WritableStream<Uint8Array>;
  /**
   * Loads what trackers need. It is called after the introduction, which a client waits only 30
   * seconds for.
   *
   * @returns Makes a tracker, one a target.
   */
  readonly open: () => Promise<() => Tracker>;
  /** What the client may show and check. */
  readonly name: string;
  readonly description?: string;
  /** Version that is announced; 4 by default. */
  readonly version?: TraxVersion;
}

/** Targets at once, at most. */
const MAX_TARGETS = 64;

/**
 * Serves until the client says quit or goes away. Both ways of starting are understood under every
 * version: a picture with a region (up to version 3), or regions before the picture (version 4).
 *
 * @returns Who ended it.
 * @throws {TraxError} If the client breaks the protocol; it is told the reason.
 * @throws {Error} If `open` or a tracker fails; the client is told the reason.
 */
export async function serveTrax(options: TraxOptions): Promise<"quit" | "gone"> {
  const writer = options.output.getWriter();
  const send = (line: string) => writer.write(new TextEncoder().encode(line));
  const session = new Session(options);
  try {
    await send(introduction(options));
    session.load();
    for await (const message of readMessages(options.input)) {
      if (message.type === "quit") return "quit";
      for (const line of await session.answer(message)) await send(line);
    }
    return "gone";
  } catch (error) {
    if (isClosed(error)) return "gone";
    const reason = error instanceof Error ? error.message : String(error);
    await send(formatMessage("quit", [], { "trax.reason": reason })).catch(() => {});
    throw error;
  } finally {
    session.forget();
    writer.releaseLock();
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.ConnectionReset;
}

function introduction({ name, description, version = 4 }: TraxOptions): string {
  return formatMessage("hello", [], {
    "trax.version": version,
    "trax.name": name,
    ...description ? { "trax.description": description } : {},
    "trax.region": REGION_FORMS,
    "trax.image": PICTURE_FORMS,
    ...version >= 2 ? { "trax.channels": "color;" } : {},
    ...version >= 4 ? { "trax.multiobject": 1 } : {},
  });
}

/** What is tracked for a client, and what it has said but not shown yet. */
class Session {
  readonly #options: TraxOptions;
  #make?: Promise<() => Tracker>;
  #targets: Tracker[] = [];
  /** Regions that wait for their picture. */
  #announced: Region[] = [];

  constructor(options: TraxOptions) {
    this.#options = options;
  }

  /** Begins to load; what goes wrong is told with the first picture. */
  load(): void {
    this.#make = this.#options.open();
    this.#make.catch(() => {});
  }

  /** @returns Lines to send back, one a target; none before a picture. */
  async answer({ type, args }: TraxMessage): Promise<string[]> {
    if (type === "initialize") return await this.#initialize(args);
    if (type !== "frame") throw new TraxError(`Cannot take "${type}": only the server sends it`);
    if (args.length !== 1) throw argumentCount("frame", args, "1 picture");
    return await this.#track(args[0]);
  }

  async #initialize(args: readonly string[]): Promise<string[]> {
    if (args.length > 2) throw argumentCount("initialize", args, "a region, or picture and region");
    // Without arguments, or with a picture, everything starts over.
    if (args.length !== 1) this.forget();
    if (args.length === 0) return [];
    this.#announced.push(parseRegion(args.at(-1)!));
    if (this.#targets.length + this.#announced.length > MAX_TARGETS) {
      throw new TraxError(`Cannot track more than ${MAX_TARGETS} targets at once`);
    }
    return args.length === 2 ? await this.#track(args[0]) : [];
  }

  async #track(picture: string): Promise<string[]> {
    if (this.#targets.length + this.#announced.length === 0) {
      throw new TraxError("Cannot track: there is no target yet, send initialize first");
    }
    const make = await this.#make!, frame = await readPicture(picture);
    const states = this.#targets.map((target) => {
      const { box, score } = target.track(frame);
      return formatMessage("state", [formatRegion(box)], { confidence: score });
    });
    for (const region of this.#announced) {
      const target = make();
      this.#targets.push(target);
      target.init(frame, startBox(region, "restart"));
      states.push(formatMessage("state", [formatRegion(region)], { confidence: 1 }));
    }
    this.#announced = [];
    return states;
  }

  /** Frees the targets. */
  forget(): void {
    for (const target of this.#targets) target[Symbol.dispose]();
    this.#targets = [];
    this.#announced = [];
  }
}

function argumentCount(type: string, { length }: readonly string[], expected: string): TraxError {
  return new TraxError(`Cannot take "${type}": found ${length} arguments, expected ${expected}`);
}
