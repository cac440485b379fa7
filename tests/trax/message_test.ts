import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { formatMessage, parseMessage, readMessages } from "../../src/trax/message.ts";
import { TraxError } from "../../src/trax/trax_error.ts";

function parsed(line: string) {
  const { type, args, properties } = parseMessage(line)!;
  return { type, args, properties: Object.fromEntries(properties) };
}

Deno.test("parseMessage() takes quoted and bare arguments, escapes and named ones", () => {
  const line = String.raw`@@TRAX:frame "file:///a b/\"1\".jpg" bare k.1_x="2 "k=v w"`;
  assertEquals(parsed(line), {
    type: "frame",
    args: ['file:///a b/"1".jpg', "bare"],
    properties: { "k.1_x": '"2', k: "v w" },
  });
  assertEquals(parsed(String.raw`@@TRAX:initialize a\\b c\nd   "" ` + "\r"), {
    type: "initialize",
    args: ["a\\b", "c\nd", ""],
    properties: {},
  });
  assertEquals(parsed("@@TRAX:quit\r").type, "quit");
  assertEquals(parsed('@@TRAX:STATUS "1,2,3,4"').type, "state");
});

Deno.test("parseMessage() keeps an equals sign in what has no valid key before it", () => {
  const long = "k".repeat(65);
  const args = ["file:///a=b.jpg", "data:image/png;QUJD==", "=x", `${long}=1`];
  assertEquals(parsed(formatMessage("frame", args).trimEnd()), {
    type: "frame",
    args,
    properties: {},
  });
});

Deno.test("parseMessage() passes other lines by and refuses what cannot be read", () => {
  assertEquals(parseMessage("warming up"), undefined);
  assertEquals(parseMessage(" @@TRAX:quit"), undefined);
  for (
    const [line, reason] of [
      ["@@TRAX:dance 1", "expected one of hello"],
      ["@@TRAX:", "expected one of hello"],
      ["@@TRAX:frame,1", "expected one of hello"],
      ['@@TRAX:frame "1', "a quote is not closed"],
      ['@@TRAX:frame "1"2', "followed by no blank"],
      ["@@TRAX:frame 1\\", "ends in a backslash"],
      [`@@TRAX:frame${" x".repeat(1001)}`, "more than 1000 arguments"],
    ]
  ) assertThrows(() => parseMessage(line), TraxError, reason);
});

Deno.test("formatMessage() is read back as it was", () => {
  const args = ["", ' "', "\\n", "line\nbreak", "ünï"], properties = { "a.b_1": 'x="y"\\' };
  const line = formatMessage("state", args, properties);
  assertEquals(line.split("\n").length, 2);
  assertEquals(parsed(line.trimEnd()), { type: "state", args, properties });
});

function stream(text: string, size: number): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text);
  return ReadableStream.from((function* () {
    for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
  })());
}

Deno.test("readMessages() joins what arrives in pieces, and takes an unended last line", async () => {
  const text = 'noise\n@@TRAX:frame "é"\n\n@@TRAX:quit';
  for (const size of [1, 7, 1000]) {
    const messages = await Array.fromAsync(readMessages(stream(text, size)));
    assertEquals(messages.map(({ type, args }) => [type, ...args]), [["frame", "é"], ["quit"]]);
  }
});

Deno.test("readMessages() refuses a line without end before it fills the memory", async () => {
  let sent = 0;
  const endless = ReadableStream.from((function* () {
    for (;;) yield new Uint8Array(1000 + 0 * sent++).fill(65);
  })());
  await assertRejects(
    () => Array.fromAsync(readMessages(endless, 10_000)),
    TraxError,
    "more than 10000 bytes",
  );
  assertEquals(sent < 20, true);
});
