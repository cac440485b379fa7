import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import {
  explainWriteError,
  isPartialFile,
  removePartialFiles,
  writeFileAtomically,
} from "../../src/weights/atomic_file.ts";
import { temporaryFolder } from "./fixtures.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const namesIn = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("writeFileAtomically() writes pieces, and tells size and checksum", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "file");
  const written = await writeFileAtomically(path, [bytes("a"), bytes(""), bytes("bc")]);
  assertEquals(written, {
    path,
    size: 3,
    sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  });
  assertEquals(await Deno.readTextFile(path), "abc");
  assertEquals(namesIn(folder.path), ["file"]);
});

Deno.test("writeFileAtomically() takes the place of the old file in one step", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "file");
  await Deno.writeTextFile(path, "old");
  await writeFileAtomically(
    path,
    (function* () {
      yield bytes("new");
      assertEquals(Deno.readTextFileSync(path), "old");
      assert(namesIn(folder.path).some(isPartialFile));
    })(),
  );
  assertEquals(await Deno.readTextFile(path), "new");
});

Deno.test("writeFileAtomically() leaves the old file, and no other, when it fails on the way", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "file");
  await Deno.writeTextFile(path, "old");
  const failing = (function* () {
    yield bytes("half");
    throw new RangeError("on the way");
  })();
  await assertRejects(() => writeFileAtomically(path, failing), RangeError, "on the way");
  assertEquals(await Deno.readTextFile(path), "old");
  assertEquals(namesIn(folder.path), ["file"]);
});

Deno.test("writeFileAtomically() says what to do where the folder is absent", async () => {
  await assertRejects(
    () => writeFileAtomically("no/such/folder/file", [bytes("a")]),
    Error,
    'Cannot write "no/such/folder/file": its folder does not exist, create it, or bring its disk back',
  );
});

Deno.test("writeFileAtomically() says what to do where nobody may write", async () => {
  await assertRejects(() => writeFileAtomically("/proc/file", [bytes("a")]), Error, "Cannot write");
});

Deno.test({
  name: "explainWriteError() explains a full disk",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using full = await Deno.open("/dev/full", { write: true });
    const cause = await full.write(bytes("a")).catch((cause) => cause);
    const explained = explainWriteError("w.pth", cause) as Error;
    assertEquals(
      explained.message,
      'Cannot write "w.pth": the disk is full, free some space or choose another folder ' +
        "(whatever was there is untouched)",
    );
    assertEquals(explained.cause, cause);
  },
});

Deno.test("explainWriteError() leaves other errors as they are", () => {
  const cause = new RangeError("other");
  assertEquals(explainWriteError("w.pth", cause), cause);
});

Deno.test("removePartialFiles() removes what was never finished, and nothing else", async () => {
  using folder = temporaryFolder();
  const names = ["a.pth", ".a.pth.12345678.partial", "b.partial", ".hidden"];
  for (const name of names) await Deno.writeTextFile(join(folder.path, name), "");
  assertEquals(await removePartialFiles(folder.path), [".a.pth.12345678.partial"]);
  assertEquals(namesIn(folder.path), [".hidden", "a.pth", "b.partial"]);
});
