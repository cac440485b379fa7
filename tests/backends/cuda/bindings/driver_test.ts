/** What is called by hand-written signatures and numbers is held against NVIDIA's own header. */
import { assertEquals, assertMatch } from "@std/assert";
import {
  DRIVER_SYMBOLS,
  DRIVER_VALUES,
} from "../../../../src/backends/cuda/bindings/driver_symbols.ts";
import { compile, nvcc } from "../nvcc.ts";

type Type = typeof DRIVER_SYMBOLS[keyof typeof DRIVER_SYMBOLS]["parameters"][number];

/** How a type looks to C: `p` a pointer, `w` a pointer or a number of its size, else a number's bytes. */
const KIND: Readonly<Record<Type, string>> = {
  buffer: "p",
  u64: "w",
  i32: "4",
  u32: "4",
  u16: "2",
  u8: "1",
};

/** Names under which the header offers a newer function of the same signature. */
const RENAMED = ["cuEventElapsedTime"];

const CHECK = `
#include <cuda.h>
#include <type_traits>
template <typename T>
constexpr char kind() {
  return std::is_pointer_v<T> ? 'p' : std::is_floating_point_v<T> ? 'f' : '0' + sizeof(T);
}
constexpr bool fits(char given, char wanted) {
  return wanted == 'w' ? given == 'p' || given == '8' : given == wanted;
}
template <typename... Parameters>
constexpr bool takes(CUresult (*)(Parameters...), const char *wanted) {
  const char given[] = {kind<Parameters>()..., '.'};
  int i = 0;
  for (; wanted[i] && given[i] != '.'; i++) {
    if (!fits(given[i], wanted[i])) return false;
  }
  return !wanted[i] && given[i] == '.';
}
`;

/** The exported name, not what the header makes of another; and the parameters. */
function checkFunction([name, { parameters }]: [string, { parameters: readonly Type[] }]): string {
  const kinds = parameters.map((type) => KIND[type]).join("");
  const exported = RENAMED.includes(name)
    ? ""
    : `#ifdef ${name}\n#error ${name} is a macro of the header\n#endif\n`;
  return `${exported}static_assert(takes(&${name}, "${kinds}"), "${name}");`;
}

const functions = Object.entries(DRIVER_SYMBOLS).map(checkFunction);
const values = Object.entries(DRIVER_VALUES)
  .map(([name, value]) => `static_assert(int(${name}) == ${value}, "${name}");`);

async function check(lines: readonly string[]) {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/driver.cpp`, CHECK + lines.join("\n") + "\n");
    return await compile(`${folder}/driver.cpp`, ["--compile"]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test({
  name: "Functions and numbers of the driver are those of cuda.h",
  ignore: nvcc === undefined,
  async fn() {
    assertEquals(await check([...functions, ...values]), { code: 0, output: "" });
  },
});

Deno.test({
  name: "The check against cuda.h finds wrong parameters, replaced names and wrong numbers",
  ignore: nvcc === undefined,
  async fn() {
    const { code, output } = await check([
      checkFunction(["cuMemFree_v2", { parameters: [] }]),
      checkFunction(["cuMemGetInfo_v2", { parameters: ["i32", "buffer"] }]),
      checkFunction(["cuMemAlloc", { parameters: ["buffer", "u64"] }]),
      'static_assert(int(CUDA_ERROR_NOT_READY) == 601, "not ready");',
    ]);
    assertEquals(code === 0, false);
    for (const what of ["cuMemFree_v2", "cuMemGetInfo_v2", "cuMemAlloc is a macro", "not ready"]) {
      assertMatch(output, new RegExp(`error: .*${what}`));
    }
  },
});
