import { assert, assertEquals } from "@std/assert";
import { isSystemFile, readSystemFile } from "../../src/ffi/system_file.ts";

const ignore = Deno.build.os !== "linux";

Deno.test({
  name: "readSystemFile() and isSystemFile() tell what is in /proc and /dev, and what is not",
  ignore,
  fn() {
    assertEquals(readSystemFile("/proc/cpuinfo"), Deno.readTextFileSync("/proc/cpuinfo"));
    assert(readSystemFile("/proc/self/status")!.includes(`Pid:\t${Deno.pid}\n`));
    assertEquals(readSystemFile("/proc/there-is-no-such-file"), undefined);
    assertEquals([isSystemFile("/dev/null"), isSystemFile("/dev/none")], [true, false]);
  },
});
