import { assertEquals, assertNotEquals } from "@std/assert";
import { compiledLibrary, compiler, execute, type NativeProject } from "../../src/ffi/compile.ts";
import { type ProcessorTarget, processorTarget } from "../../src/ffi/processor.ts";

const available = Deno.env.get("SIAMBAN_NATIVE") !== "off" &&
  await execute(compiler(), ["--version"], "").then(({ code }) => code === 0, () => false);

/** Runs `use` with a project of one function whose result tells what it was compiled for. */
async function withProject(
  use: (
    build: (target: ProcessorTarget) => Promise<string>,
    project: NativeProject,
  ) => Promise<void>,
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
    await use((target) => compiledLibrary(project, target), project);
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

/** Compiles in a process of its own; gives the library's path. */
async function buildInProcess(project: NativeProject): Promise<string> {
  const module = new URL("../../src/ffi/compile.ts", import.meta.url).href;
  const configuration = new URL("../../deno.json", import.meta.url).pathname;
  const script = `
    const { compiledLibrary } = await import(${JSON.stringify(module)});
    console.log(await compiledLibrary(${JSON.stringify(project)}));`;
  const command = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-check", "--config", configuration, script],
  });
  const { stdout, stderr } = await command.output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout).trim() || decoder.decode(stderr);
}

Deno.test({
  name: "compiledLibrary() compiles in several processes at once",
  ignore: !available,
  async fn() {
    await withProject(async (_, project) => {
      const files = await Promise.all([0, 1, 2].map(() => buildInProcess(project)));
      const names = Array.from(Deno.readDirSync(project.output), ({ name }) => name);
      assertEquals(names.length, 1, "Nothing but the library is left");
      assertEquals(files, Array(3).fill(`${project.output}/${names[0]}`));
      assertEquals(answerOf(files[0]), 1);
    });
  },
});
