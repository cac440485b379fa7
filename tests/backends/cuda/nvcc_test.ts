/** Every kernel compiles for each kind of card that is out there, not only for the one at hand. */
import { assertEquals } from "@std/assert";
import { compile, KERNEL_SOURCES, nvcc } from "./nvcc.ts";

const ARCHITECTURES = [75, 80, 90, 100];

const TO_MACHINE_CODE = [
  "--fatbin",
  ...ARCHITECTURES.map((arch) => `--generate-code=arch=compute_${arch},code=sm_${arch}`),
];
const TO_ASSEMBLY = ["--ptx", `--gpu-architecture=compute_${ARCHITECTURES[0]}`];

/** Macros that launches set, beside none. */
const VARIANTS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  convert: [["-DSource=float", "-DTarget=bfloat16"], ["-DSource=int", "-DTarget=uint8"]],
  copy_box: [["-DWord=wide"], ["-DWord=uint16"]],
  elementwise: [["-DLeft=int"], ["-DLeft=bfloat16", "-DRight=float"]],
  sgd_update: [],
  xcorr_depthwise: [["-DElement=bfloat16", "-DTILE_H=4", "-DTILE_W=7"]],
};

const files = Array.from(Deno.readDirSync(KERNEL_SOURCES), ({ name }) => name)
  .filter((name) => name.endsWith(".cu")).sort();

for (const file of files) {
  Deno.test({
    name: `${file} compiles for sm_${ARCHITECTURES.join(", sm_")} without warnings`,
    ignore: nvcc === undefined,
    async fn() {
      const others = VARIANTS[file.replace(".cu", "")] ?? [["-DElement=bfloat16"]];
      // Other types are checked as text only: what a card makes of them is the assembler's affair.
      const results = await Promise.all([
        compile(file, TO_MACHINE_CODE),
        ...others.map((macros) => compile(file, [...TO_ASSEMBLY, ...macros])),
      ]);
      for (const { code, output } of results) {
        assertEquals({ code, output }, { code: 0, output: "" });
      }
    },
  });
}

Deno.test({
  name: "A warning fails the compilation of a kernel",
  ignore: nvcc === undefined,
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      await Deno.writeTextFile(
        `${folder}/bad.cu`,
        "__global__ void bad(int n) { int unused = n; }",
      );
      const { code, output } = await compile(`${folder}/bad.cu`, TO_ASSEMBLY);
      assertEquals([code !== 0, output.includes("unused")], [true, true], output);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
