import { assertEquals, assertThrows } from "@std/assert";
import { parseNumberRows } from "../../src/evaluation/number_rows.ts";
import { Rng } from "../../src/random.ts";

/** The rows of a text. */
function parse(text: string): number[][] {
  return [...parseNumberRows(new TextEncoder().encode(text), "f")];
}

Deno.test("parseNumberRows() reads every number as Number() does", () => {
  const rng = new Rng(1);
  const words = Array.from({ length: 4000 }, (_, i) => {
    const number = (rng.uniform() - 0.5) * 10 ** rng.integer(14);
    return i % 2 ? number.toFixed(rng.integer(12)) : String(number);
  });
  words.push(
    "0",
    "-0",
    "00.50",
    ".5",
    "5.",
    "-.25",
    "123456789012345",
    "1234567890123456789",
    "1e-7",
  );
  const [row] = parse(words.join(","));
  assertEquals(row, words.map(Number));
});

Deno.test("parseNumberRows() takes all separators, and lines that end in any way", () => {
  const text = "\ufeff1,2\r\n1\t2\n 1  2 \r1; 2\nNaN,inf\n\n\n";
  assertEquals(parse(text), [[1, 2], [1, 2], [1, 2], [1, 2], [NaN, Infinity]]);
  assertEquals(parse("\n"), []);
});

Deno.test("parseNumberRows() names the word and the line that are no numbers", () => {
  for (const word of ["--1", "1.2.3", "1-2", "x", "-", "."]) {
    assertThrows(() => parse(`1,2\n1,${word}`), SyntaxError, `line 2: "${word}"`);
  }
  assertThrows(() => parse("1\n\n2"), SyntaxError, "line 2: it is blank");
});
