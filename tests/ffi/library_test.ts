import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  isAvailable,
  LibraryNotFoundError,
  NativeError,
  openLibrary,
} from "../../src/ffi/library.ts";

const symbols = {
  abs: { parameters: ["i32"], result: "i32" }, // int abs(int)
} as const satisfies Deno.ForeignLibraryInterface;
const libc = openLibrary({ name: "libc", files: ["libnothing.so.1", "libc.so.6"] }, symbols);
const missing = openLibrary({
  name: "libnothing",
  files: () => ["libnothing.so.1", "/nowhere/libnothing.so"],
  env: "SIAMBAN_TEST_NOTHING",
  remedy: "install nothing",
}, symbols);

Deno.test({
  name: "openLibrary() opens the first candidate that the loader finds, at the first call",
  ignore: Deno.build.os !== "linux",
  fn() {
    assertEquals(libc().abs(-3), 3);
    assertEquals(libc.location(), "libc.so.6");
    assert(isAvailable(libc));
  },
});

Deno.test("openLibrary() lists every place it tried, and the remedy", () => {
  assert(!isAvailable(missing));
  const error = assertThrows(() => missing(), LibraryNotFoundError, "install nothing");
  assertEquals(error.tried.length, 2);
  assertStringIncludes(error.message, "/nowhere/libnothing.so");
});

Deno.test("openLibrary() looks in the folder and at the file of its environment variable first", () => {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.env.set("SIAMBAN_TEST_NOTHING", folder);
    const inFolder = assertThrows(() => missing(), LibraryNotFoundError);
    assertStringIncludes(inFolder.tried[0], `${folder}/libnothing.so.1`);
    assertEquals(inFolder.tried.length, 3 * 2 + 2);
    Deno.env.set("SIAMBAN_TEST_NOTHING", `${folder}/own.so`);
    assertStringIncludes(assertThrows(() => missing(), LibraryNotFoundError).tried[0], "/own.so");
  } finally {
    Deno.env.delete("SIAMBAN_TEST_NOTHING");
    Deno.removeSync(folder);
  }
});

Deno.test("NativeError says which call failed, and why", () => {
  const error = new NativeError("tjCompress2", -1, "Width is 0");
  assertEquals(error.message, "Cannot run tjCompress2: Width is 0 (status -1)");
  assertEquals([error.call, error.status], ["tjCompress2", -1]);
});
