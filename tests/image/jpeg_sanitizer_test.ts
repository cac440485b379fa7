import { assert, assertEquals } from "@std/assert";

const here = new URL(".", import.meta.url).pathname;
const root = `${here}../../`;

async function run(program: string, args: string[]) {
  const env = { ASAN_OPTIONS: "detect_leaks=0:allocator_may_return_null=1" };
  const { code, stdout, stderr } = await new Deno.Command(program, { args, env }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err };
}

async function canCompile(): Promise<boolean> {
  const args = ["-fsyntax-only", "-include", "cstdio", "-include", "jpeglib.h", "-x", "c++"];
  return await run("g++", [...args, "/dev/null"]).then(({ code }) => code === 0, () => false);
}

Deno.test({
  name: "the decoder of training pictures stays in its memory on 2000 mutated JPEG files",
  ignore: Deno.build.os !== "linux" || !await canCompile(),
  async fn() {
    const folder = await Deno.makeTempDir();
    try {
      const program = `${folder}/jpeg_sanitizer`;
      const sources = [...Deno.readDirSync(`${root}native/image`)]
        .filter(({ name }) => name.endsWith(".cpp")).map(({ name }) =>
          `${root}native/image/${name}`
        );
      const flags = [
        "-std=c++17",
        "-O1",
        "-g",
        "-fsanitize=address",
        "-ffp-contract=off",
        "-DSIAMBAN_JPEG",
      ];
      const built = await run("g++", [
        ...[...flags, `${here}jpeg_sanitizer.cpp`, ...sources, "-ljpeg", "-o", program],
      ]);
      assertEquals(built.code, 0, built.err);
      const pictures = [...Deno.readDirSync(`${root}tests/fixtures/images`)]
        .filter(({ name }) => name.endsWith(".jpg"))
        .map(({ name }) => `${root}tests/fixtures/images/${name}`).sort();
      const { code, out, err } = await run(program, ["2000", "11", ...pictures]);
      assertEquals(code, 0, err);
      const [, decoded] = /^2000 files, (\d+) decoded/.exec(out) ?? [];
      assert(Number(decoded) > 100, out);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
});
