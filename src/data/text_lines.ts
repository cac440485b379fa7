/** Characters that a line may have; a file without line ends is no text of ours. */
const LONGEST_LINE = 2 ** 20;

/**
 * The lines of a text file, one after the other, whatever the file's size.
 *
 * @throws {SyntaxError} If a line is longer than a million characters.
 */
export async function* readLines(path: string): AsyncGenerator<string> {
  using file = await Deno.open(path);
  const chunk = new Uint8Array(2 ** 18);
  const decoder = new TextDecoder();
  let rest = "";
  for (let count = await file.read(chunk); count !== null; count = await file.read(chunk)) {
    const lines = (rest + decoder.decode(chunk.subarray(0, count), { stream: true })).split("\n");
    rest = lines.pop()!;
    if (rest.length > LONGEST_LINE) {
      throw new SyntaxError(`Cannot read "${path}": a line has no end`);
    }
    yield* lines.map((line) => line.endsWith("\r") ? line.slice(0, -1) : line);
  }
  if (rest !== "") yield rest;
}
