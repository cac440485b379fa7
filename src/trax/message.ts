/**
 * Messages of the TraX protocol: one a line, `@@TRAX:frame "file:///1.jpg" "key=value"`.
 *
 * @module
 */
import { TraxError } from "./trax_error.ts";

/** What every message begins with; other lines are not for the protocol. */
const PREFIX = "@@TRAX:";

const TYPES = ["hello", "initialize", "frame", "state", "quit"] as const;

/** Kind of a message. */
export type MessageType = (typeof TYPES)[number];

/** A message. */
export interface TraxMessage {
  readonly type: MessageType;
  /** Arguments by position. */
  readonly args: readonly string[];
  /** Named arguments; of two with one name the later. */
  readonly properties: ReadonlyMap<string, string>;
}

/** Letters, digits, point and underscore, at most 64. */
const KEY = /^[A-Za-z0-9._]{1,64}$/;

/**
 * Reads a line as a message.
 *
 * @returns Nothing for a line that is not for the protocol.
 * @throws {TraxError} If it is, but not a message.
 */
export function parseMessage(line: string): TraxMessage | undefined {
  if (!line.startsWith(PREFIX)) return undefined;
  const [, word, rest] = /^([A-Za-z0-9]*)([^]*)$/.exec(line.slice(PREFIX.length))!;
  const name = word.toLowerCase();
  // "status" is what the first versions called a state.
  const type = TYPES.find((known) => known === (name === "status" ? "state" : name));
  if (!type || rest !== "" && !/^[ \r]/.test(rest)) {
    throw new TraxError(
      `Cannot read message "${brief(line)}": expected one of ${TYPES.join(", ")}`,
    );
  }
  const args: string[] = [], properties = new Map<string, string>();
  for (const argument of splitArguments(rest)) {
    const at = argument.indexOf("=");
    // What has no valid key before its first "=" is a plain argument: paths and base64 may have one.
    if (KEY.test(argument.slice(0, Math.max(0, at)))) {
      properties.set(argument.slice(0, at), argument.slice(at + 1));
    } else args.push(argument);
  }
  return { type, args, properties };
}

/** Of a message; what a client sends has a handful. */
const MAX_ARGUMENTS = 1000;

/** Arguments are separated by blanks; quotes hold one together, a backslash takes what follows as it is. */
function splitArguments(text: string): string[] {
  const found: string[] = [];
  for (let i = 0; i < text.length;) {
    if (text[i] === " " || text[i] === "\r") {
      i++;
      continue;
    }
    const quoted = text[i] === '"';
    const { value, end } = readArgument(text, quoted ? i + 1 : i, quoted ? '"' : " ");
    if (quoted && end < text.length && !" \r".includes(text[end])) {
      throw new TraxError(`Cannot read message: "${brief(value)}" is followed by no blank`);
    }
    found.push(value);
    if (found.length > MAX_ARGUMENTS) {
      throw new TraxError(`Cannot read message: it has more than ${MAX_ARGUMENTS} arguments`);
    }
    i = end;
  }
  return found;
}

function readArgument(text: string, start: number, stop: string): { value: string; end: number } {
  const parts: string[] = [];
  let from = start;
  for (let i = start; i < text.length; i++) {
    if (text[i] === stop) {
      parts.push(text.slice(from, i));
      return { value: parts.join(""), end: i + 1 };
    }
    if (text[i] !== "\\") continue;
    parts.push(text.slice(from, i), text[i + 1] === "n" ? "\n" : text[i + 1] ?? "");
    if (i + 1 >= text.length) throw new TraxError("Cannot read message: it ends in a backslash");
    from = ++i + 1;
  }
  if (stop === '"') throw new TraxError("Cannot read message: a quote is not closed");
  parts.push(text.slice(from).replace(/\r$/, ""));
  return { value: parts.join(""), end: text.length };
}

/** Enough of a text to recognise it. */
function brief(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 60)}…`;
}

/** A message as a line, with its end. */
export function formatMessage(
  type: MessageType,
  args: readonly string[] = [],
  properties: Readonly<Record<string, string | number>> = {},
): string {
  const named = Object.entries(properties).map(([key, value]) => `${key}=${value}`);
  return `${PREFIX}${[type, ...[...args, ...named].map(quote)].join(" ")}\n`;
}

function quote(argument: string): string {
  return `"${argument.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

/** A line may hold a whole picture: 8192 x 4320 pixels of three bytes, in base64. */
const MAX_LINE_BYTES = 160 << 20;

const NEWLINE = 10;

/**
 * The messages in a stream of bytes; ends with the stream.
 *
 * @throws {TraxError} If one cannot be read, or a line is longer than any message.
 */
export async function* readMessages(
  input: ReadableStream<Uint8Array>,
  maxLineBytes: number = MAX_LINE_BYTES,
): AsyncGenerator<TraxMessage> {
  let pending: Uint8Array[] = [], size = 0;
  for await (const chunk of input) {
    for (let from = 0; from < chunk.length;) {
      const at = chunk.indexOf(NEWLINE, from), end = at < 0 ? chunk.length : at;
      pending.push(chunk.subarray(from, end));
      size += end - from;
      if (size > maxLineBytes) {
        throw new TraxError(`Cannot read a line of more than ${maxLineBytes} bytes`);
      }
      from = end + 1;
      if (at < 0) continue;
      const message = parseMessage(joinText(pending));
      pending = [];
      size = 0;
      if (message) yield message;
    }
  }
  const last = parseMessage(joinText(pending));
  if (last) yield last;
}

function joinText(parts: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return parts.map((part) => decoder.decode(part, { stream: true })).join("") + decoder.decode();
}
