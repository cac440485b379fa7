import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { LibraryNotFoundError, openLibrary } from "../../../src/ffi/library.ts";
import { CUDA_PATH_VARIABLE, installedLibraries } from "../../../src/backends/cuda/libraries.ts";

/** Runs with environment variables set, and puts them back. */
async function withEnvironment(
  variables: Readonly<Record<string, string>>,
  run: () => void | Promise<void>,
): Promise<void> {
  const before = Object.keys(variables).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(variables)) Deno.env.set(name, value);
  try {
    await run();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

async function placesOf(
  name: "nvrtc" | "cudnn" | "cublas" | "driver",
  files: readonly string[],
  variables: (root: string) => Readonly<Record<string, string>>,
): Promise<readonly string[]> {
  const root = await Deno.makeTempDir();
  try {
    for (const file of files) {
      const path = join(root, file);
      await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
      await Deno.writeTextFile(path, "");
    }
    let places: readonly string[] = [];
    await withEnvironment(variables(root), () => {
      const { files } = installedLibraries()[name];
      places = typeof files === "function" ? files() : files;
    });
    return places.map((place) => place.replace(root, "ROOT"));
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("installedLibraries() looks into the environment's folders first, then asks the loader", async () => {
  const places = await placesOf(
    "nvrtc",
    ["mine/lib64/libnvrtc.so.12"],
    (root) => ({ [CUDA_PATH_VARIABLE]: `/nowhere:${root}/mine` }),
  );
  assertEquals(places.slice(0, 3), [
    "ROOT/mine/lib64/libnvrtc.so.12",
    "libnvrtc.so.13",
    "libnvrtc.so.12",
  ]);
});

Deno.test("installedLibraries() knows pip's wheels of CUDA 12 and 13, and conda's folders", async () => {
  const wheels = "venv/lib/python3.12/site-packages/nvidia";
  const places = await placesOf("cublas", [
    `${wheels}/cublas/lib/libcublas.so.12`,
    `${wheels}/cu13/lib/libcublas.so.13`,
    "conda/lib/libcublas.so.12",
  ], (root) => ({ VIRTUAL_ENV: `${root}/venv`, CONDA_PREFIX: `${root}/conda` }));
  assert(places.includes(`ROOT/${wheels}/cublas/lib/libcublas.so.12`));
  assert(places.includes(`ROOT/${wheels}/cu13/lib/libcublas.so.13`));
  assert(places.includes("ROOT/conda/lib/libcublas.so.12"));
});

Deno.test("installedLibraries() tells every place that was tried and how to get the library", () => {
  const { files, ...rest } = installedLibraries().cudnn;
  const missing = openLibrary({ ...rest, files: ["libcudnn-missing.so.9", "/no/libcudnn.so.9"] }, {
    cudnnGetVersion: { parameters: [], result: "u64" },
  });
  assert(typeof files === "function");
  const error = assertThrows(() => missing(), LibraryNotFoundError);
  assertStringIncludes(error.message, "libcudnn-missing.so.9 (");
  assertStringIncludes(error.message, "/no/libcudnn.so.9 (");
  assertStringIncludes(error.message, "pip install nvidia-cudnn-cu13");
});
