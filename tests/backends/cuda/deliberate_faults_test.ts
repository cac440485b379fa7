/** What a mistake in the backend or in a kernel must lead to: an error that names it. */
import { assertMatch } from "@std/assert";
import { testEmulated } from "./against_reference.ts";

const url = (path: string) => JSON.stringify(new URL(`../../../${path}`, import.meta.url).href);
const CONFIG = new URL("../../../deno.json", import.meta.url).pathname;

/** A device that is broken stays so for the whole process: each mistake has one of its own. */
async function complaint(mistake: string): Promise<string> {
  const script = `
    import * as tf from "@tensorflow/tfjs";
    import { useBackend } from ${url("src/backends/mod.ts")};
    import { CudaProgram } from ${url("src/backends/cuda/program.ts")};
    const source = await Deno.readTextFile(new URL(${url("native/cuda/activation.cu")}));
    await useBackend("emulated", { deviceDebug: true });
    const cuda = tf.backend();
    const size = 10000, x = tf.ones([size]), y = cuda.empty([size]);
    const launch = (text, x) => cuda.launch(new CudaProgram("activation", text), {
      function: "activation", threads: size / 4, args: [x, y, size, 1], types: { Element: "float32" },
    });
    launch(source, x);
    console.log((await tf.engine().makeTensorFromTensorInfo(y).data())[size - 1]);
    try {
      ${mistake}
      cuda.readSync(y.dataId);
      console.log("nothing was found");
    } catch (error) {
      console.log(error.message);
    }`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--config", CONFIG, script],
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  return decoder.decode(stdout) + decoder.decode(stderr);
}

const MISTAKES: readonly [string, string, RegExp][] = [
  [
    "a buffer that was freed",
    "const address = cuda.address(x); x.dispose(); launch(source, { address });",
    /^1\n[^]*activation[^]*already freed/,
  ],
  [
    "a wrong stride in a kernel",
    'launch(source.replace("x + i * count", "x + (i + 1) * count"), x);',
    /^1\n[^]*kernel activation, block \(\d+, 0, 0\), thread \(\d+, 0, 0\): reads[^]*past the end/,
  ],
  [
    "an element too many in a kernel",
    'launch(source.replaceAll("i < size", "i <= size"), x);',
    /^1\n[^]*kernel activation[^]*0 bytes past the end of an allocation of 40000 bytes/,
  ],
  [
    "a vector access at a misaligned address",
    "launch(source, { address: cuda.address(x) + 4n });",
    /^1\n[^]*misaligned/,
  ],
];

for (const [what, mistake, says] of MISTAKES) {
  testEmulated(`The backend ends with an error for ${what}`, async () => {
    assertMatch(await complaint(mistake), says);
  });
}
