import { assertEquals, assertNotEquals } from "@std/assert";
import { compiledLibrary, compiler, execute, type NativeProject } from "../../src/ffi/compile.ts";
import { type ProcessorTarget, processorTarget } from "../../src/ffi/processor.ts";

const available = Deno.env.get("SIAMBAN_NATIVE") !== "off" &&
  await execute(compiler(), ["--version"], "").then(({ code }) => code === 0, () => false);

/** Runs `use` with a project of one function whose result tells what it was compiled for. */
async function withProject(
  use: (build: (target: ProcessorTarget) => Promise<string>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    const source =
      '#ifndef ANSWER\n#define ANSWER 1\n#endif\nextern "C" int answer() { return ANSWER; }';
    await Deno.mkdir(`${folder}/sources`);
    await Deno.writeTextFile(`${folder}/sources/answer.cpp`, source);
    const project: NativeProject = {
      name: "answer",
      title: "the answer",
      sources: `${folder}/sources/`,
      output: `${folder}/build`,
      compileFlags: ["-fPIC"],
      linkFlags: ["-shared"],
      versionHeaders: [],
      remedy: "install a compiler",
    };
    await use((target) => compiledLibrary(project, target));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function answerOf(file: string): number {
  const library = Deno.dlopen(file, { answer: { parameters: [], result: "i32" } });
  try {
    return library.symbols.answer();
  } finally {
    library.close();
  }
}

Deno.test({
  name:
    "compiledLibrary() never takes what was compiled for another processor from a carried folder",
  ignore: !available,
  async fn() {
    await withProject(async (build) => {
      const here = processorTarget({ level: "native", features: ["sse2", "avx2"] });
      const there = processorTarget({ level: "native", features: ["sse2"] });
      const first = await build(here), written = (await Deno.stat(first)).mtime;
      const second = await build(there);
      assertNotEquals(second, first);
      assertEquals(await build(here), first);
      assertEquals((await Deno.stat(first)).mtime, written, "What fits is used again");
    });
  },
});

Deno.test({
  name: "compiledLibrary() compiles with the flags of the processor",
  ignore: !available,
  async fn() {
    await withProject(async (build) => {
      const target = processorTarget({ level: "generic", features: [] });
      assertEquals(answerOf(await build(target)), 1);
      assertEquals(answerOf(await build({ ...target, compileFlags: ["-DANSWER=2"] })), 2);
    });
  },
});
