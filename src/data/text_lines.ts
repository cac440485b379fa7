/** Characters that a line may have; a file without line ends is no text of ours. */
const LONGEST_LINE = 2 ** 20;

/**
 * The lines of a text file, one after the other, whatever the file's size; a file whose name ends
 * with `.gz` is unpacked on the way. Blank lines count.
 *
 * @throws {SyntaxError} If a line is longer than a million characters.
 */
export async function* readLines(path: string): AsyncGenerator<string> {
  using file = await Deno.open(path);
  const bytes = path.endsWith(".gz")
    ? file.readable.pipeThrough(new DecompressionStream("gzip"))
    : file.readable;
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of bytes) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop()!;
    if (rest.length > LONGEST_LINE) {
      throw new SyntaxError(`Cannot read "${path}": a line has no end`);
    }
    yield* lines.map((line) => line.endsWith("\r") ? line.slice(0, -1) : line);
  }
  if (rest !== "") yield rest;
}
