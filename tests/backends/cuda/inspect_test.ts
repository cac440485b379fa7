import { assertEquals, assertMatch } from "@std/assert";
import { emulatedLibrary } from "../../../src/backends/cuda/emulated.ts";
import { missing } from "./emulated/device.ts";

Deno.test({
  name: "inspectCuda() finds card and versions in the folder that SIAMBAN_CUDA_PATH names",
  ignore: missing !== undefined,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      for (const name of ["cuda.so.1", "nvrtc.so.13", "cudnn.so.9", "cublas.so.13", "nccl.so.2"]) {
        await Deno.symlink(await emulatedLibrary(), `${folder}/lib${name}`);
      }
      for (const part of ["graph", "ops", "cnn"]) {
        await Deno.symlink(await emulatedLibrary(), `${folder}/libcudnn_${part}.so.9`);
      }
      const { cards, libraries } = await inspectIn(folder);
      assertEquals(cards, [
        { name: "Emulated device", computeCapability: "9.0", memoryBytes: 2 ** 33 },
      ]);
      assertEquals(
        libraries.map(({ version, problem }) => version ?? problem),
        ["CUDA 13.0", "13.0", "9.6.0", "13.0.0", "2.30.0"],
      );
      assertMatch(libraries[2].location!, /libcudnn\.so\.9$/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});

/** In a process of its own: a library that is open stays the one that is found. */
async function inspectIn(folder: string): Promise<{
  cards: unknown[];
  libraries: { version?: string; problem?: string; location?: string }[];
}> {
  const module = new URL("../../../src/backends/cuda/inspect.ts", import.meta.url).href;
  const config = new URL("../../../deno.json", import.meta.url).pathname;
  const script = `import { inspectCuda } from ${JSON.stringify(module)};
    console.log(JSON.stringify(inspectCuda()));`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--config", config, script],
    env: { SIAMBAN_CUDA_PATH: folder },
  }).output();
  const text = new TextDecoder().decode(stdout);
  if (!text) throw new Error(new TextDecoder().decode(stderr));
  return JSON.parse(text);
}
