/** What NVIDIA's own run-time compiler says to the kernels; it needs no card. */
import { assert, assertEquals } from "@std/assert";
import { fromFileUrl } from "@std/path";
import { Nvrtc } from "../../../src/backends/cuda/bindings/nvrtc.ts";
import { installedLibraries } from "../../../src/backends/cuda/libraries.ts";
import { COMPILE_OPTIONS } from "../../../src/backends/cuda/program.ts";

const SOURCES = fromFileUrl(new URL("../../../native/cuda/", import.meta.url));

const nvrtc = new Nvrtc(installedLibraries().nvrtc);
const available = (() => {
  try {
    return nvrtc.version() !== "";
  } catch {
    return false;
  }
})();

function texts(ending: string): Record<string, string> {
  const names = Array.from(Deno.readDirSync(SOURCES), ({ name }) => name)
    .filter((name) => name.endsWith(ending)).sort();
  return Object.fromEntries(names.map((name) => [name, Deno.readTextFileSync(SOURCES + name)]));
}

const headers = texts(".cuh");
for (const [name, source] of Object.entries(texts(".cu"))) {
  Deno.test({
    name: `NVRTC compiles ${name}, and says nothing`,
    ignore: !available,
    fn() {
      for (const target of ["sm_90", "compute_75"]) {
        const options = [...COMPILE_OPTIONS, `--gpu-architecture=${target}`];
        const { image, log } = nvrtc.compile({ name, source, headers, options });
        assertEquals(log, "");
        assert(image!.length > 0);
      }
    },
  });
}

Deno.test({
  name: "Nvrtc.compile() gives the log of a program that is wrong, and its line",
  ignore: !available,
  fn() {
    const wrong = { name: "wrong.cu", source: "\nint x = y;", headers: {} };
    const { image, log } = nvrtc.compile({ ...wrong, options: [] });
    assertEquals(image, undefined);
    assert(log.includes("wrong.cu(2)"), log);
  },
});
