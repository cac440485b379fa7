import { assert, assertEquals, assertRejects } from "@std/assert";
import { createHash } from "node:crypto";
import { join } from "@std/path";
import { hashLine, readHashList } from "../../src/data/hash_list.ts";
import { readLines } from "../../src/data/text_lines.ts";
import { temporaryFolder } from "./demo.ts";

Deno.test("hashLine() writes what sha256sum checks and readHashList() reads, for any name", async () => {
  await using folder = await temporaryFolder();
  const names = ["a b.jpg", "häuser 長.jpg", "back\\slash.jpg", "line\nbreak.jpg", " front.jpg"];
  const hash = createHash("sha256").update("crop").digest("hex");
  for (const name of names) await Deno.writeTextFile(join(folder.path, name), "crop");
  const list = join(folder.path, "train.sha256");
  await Deno.writeTextFile(list, names.map((path) => hashLine({ hash, path })).join(""));
  const command = new Deno.Command("sha256sum", { args: ["-c", list], cwd: folder.path });
  const { success, stdout } = await command.output();
  assert(success, new TextDecoder().decode(stdout));
  assertEquals(await Array.fromAsync(readHashList(list)), names.map((path) => ({ hash, path })));
  assertEquals(await Array.fromAsync(readHashList("/nowhere")), []);
});

Deno.test("readLines() reads lines of any file in pieces, and refuses a file without line ends", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "text");
  const lines = Array.from({ length: 60000 }, (_, i) => `Zeile ${i} – ü`);
  await Deno.writeTextFile(path, lines.join("\r\n"));
  assertEquals(await Array.fromAsync(readLines(path)), lines);
  await Deno.writeTextFile(path, "x".repeat(2 ** 21));
  await assertRejects(() => Array.fromAsync(readLines(path)), SyntaxError, "a line has no end");
});
