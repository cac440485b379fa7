import { assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import { testOnDevice } from "./device.ts";

testOnDevice("A text that does not compile gives the log with its own lines", (device) => {
  const source = 'extern "C" __global__ void test(float *x) {\n  x[0] = unknown;\n}';
  const error = assertThrows(() => device.compile(source), SyntaxError);
  assertMatch(error.message, /test\.cu:2:.*'unknown'|test\.cu:2:.*‘unknown’/);
});

testOnDevice("A header that NVRTC does not know is not found here either", (device) => {
  const error = assertThrows(() => device.compile("#include <stdint.h>"), SyntaxError);
  assertStringIncludes(error.message, "stdint.h");
});

testOnDevice("An option that NVRTC does not know is refused", (device) => {
  const text = 'extern "C" __global__ void test() {}';
  assertThrows(() => device.compile(text, ["--no-such-option"]), Error, "--no-such-option");
});
