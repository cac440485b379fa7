import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { formatRecord, LogFile } from "../../src/training/log_file.ts";

const now = () => new Date(2024, 2, 5, 4, 7, 9, 45);

Deno.test("formatRecord() has the published form", () => {
  assertEquals(
    formatRecord("init done", now(), { rank: 1, source: "train.py", line: 42 }),
    "[2024-03-05 04:07:09,045-rk1-train.py# 42] init done",
  );
});

Deno.test("LogFile makes its folders, numbers its records and appends after a resume", () => {
  const folder = `${Deno.makeTempDirSync()}/a/b`;
  for (const message of ["first", "second"]) {
    using log = new LogFile(folder, { now });
    log.write(message);
    log.write("two\nlines");
  }
  const prefix = "[2024-03-05 04:07:09,045-rk0-train.ts#";
  assertEquals(
    Deno.readTextFileSync(`${folder}/logs.txt`),
    `${prefix}  1] first\n${prefix}  2] two\nlines\n${prefix}  1] second\n${prefix}  2] two\nlines\n`,
  );
});

Deno.test("LogFile.write() has put the record into the file when it returns", () => {
  const folder = Deno.makeTempDirSync();
  using log = new LogFile(folder);
  log.write("kept");
  assertMatch(Deno.readTextFileSync(log.path), /\] kept\n$/);
});

Deno.test("LogFile starts on a line of its own after an interrupted write", () => {
  const folder = Deno.makeTempDirSync();
  Deno.writeTextFileSync(`${folder}/logs.txt`, "torn rec");
  using log = new LogFile(folder, { now });
  log.write("next");
  assertMatch(Deno.readTextFileSync(log.path), /^torn rec\n\[[^\n]*\] next\n$/);
});

Deno.test("LogFile names path, reason and remedy where it cannot be made", () => {
  const file = Deno.makeTempFileSync();
  assertThrows(
    () => new LogFile(`${file}/logs`),
    Error,
    `Cannot write "${file}/logs/logs.txt": a file stands where a folder should, move it`,
  );
  const folder = Deno.makeTempDirSync();
  Deno.mkdirSync(`${folder}/logs.txt`);
  assertThrows(() => new LogFile(folder), Error, "a folder stands where the file should");
});
