import { fromFileUrl } from "@std/path";

/** Where the kernels are. */
export const KERNEL_SOURCES = fromFileUrl(new URL("../../../native/cuda", import.meta.url));

/** CUDA's compiler, on the path or where the toolkit installs itself; undefined where there is none. */
export const nvcc = findNvcc();

/** Compiles a file, to nothing; any warning is an error. */
export async function compile(
  file: string,
  options: readonly string[],
): Promise<{ readonly code: number; readonly output: string }> {
  const { code, stderr, stdout } = await new Deno.Command(nvcc!, {
    cwd: KERNEL_SOURCES,
    args: [
      ...options,
      "--std=c++17",
      "--output-file=/dev/null",
      "--Werror=all-warnings",
      "--threads=2",
      "-I.",
      file,
    ],
  }).output();
  const text = new TextDecoder();
  return { code, output: text.decode(stdout) + text.decode(stderr) };
}

function findNvcc(): string | undefined {
  const places = ["nvcc", "/usr/local/cuda/bin/nvcc"];
  return places.find((place) => {
    try {
      return new Deno.Command(place, { args: ["--version"], stdout: "null", stderr: "null" })
        .outputSync().success;
    } catch {
      return false;
    }
  });
}
