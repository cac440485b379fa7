import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { AppendFile } from "../../src/training/append_file.ts";
import { writeError } from "../../src/training/write_error.ts";

const linux = Deno.build.os === "linux";

Deno.test({
  name: "AppendFile.append() says that the disk is full",
  ignore: !linux,
  fn() {
    const file = new AppendFile("/dev/full");
    const error = assertThrows(() => file.append(new Uint8Array(4)), Error);
    assertEquals(
      error.message,
      'Cannot write "/dev/full": the disk is full, free some space or choose another folder',
    );
    assertThrows(() => file[Symbol.dispose](), Error, "Cannot write"); // a device cannot be synced
  },
});

Deno.test({
  name: "AppendFile.append() leaves nothing of a record that did not fit, and all before it",
  ignore: !linux,
  async fn() {
    const path = `${Deno.makeTempDirSync()}/file`;
    const module = import.meta.resolve("../../src/training/append_file.ts");
    const program = `
      import { AppendFile } from ${JSON.stringify(module)};
      using file = new AppendFile(${JSON.stringify(path)});
      file.append(new Uint8Array(1000).fill(1));
      try { file.append(new Uint8Array(100).fill(2)); } catch (error) { console.log(error.message); }
      file.append(new Uint8Array(10).fill(3));`;
    Deno.writeTextFileSync(`${path}.ts`, program);
    const config = fromFileUrl(import.meta.resolve("../../deno.json"));
    // The shell limits the files of the program it starts to one block of 1024 bytes.
    const script = `trap "" XFSZ; ulimit -f 1; exec "$0" run -A --no-lock --no-check "$@"`;
    const args = ["-c", script, Deno.execPath(), "--config", config, `${path}.ts`];
    const { stdout } = await new Deno.Command("bash", { args }).output();
    assertStringIncludes(new TextDecoder().decode(stdout), "File too large");
    const bytes = Deno.readFileSync(path);
    assertEquals([bytes.length, bytes[999], bytes[1000]], [1010, 1, 3]);
  },
});

Deno.test("writeError() gives each system error its remedy and keeps the cause", () => {
  const coded = (code: string) => Object.assign(new Error("raw"), { code });
  const message = (code: string) => writeError("logs", coded(code)).message;
  assertEquals(
    message("EROFS"),
    'Cannot write "logs": the file system is read-only, choose another folder',
  );
  assertEquals(
    message("EACCES"),
    'Cannot write "logs": permission is denied, change its owner or choose another folder',
  );
  assertEquals(message("EIO"), 'Cannot write "logs": raw, check the path');
  const cause = coded("ENOSPC");
  assertEquals(writeError("logs", cause).cause, cause);
});
