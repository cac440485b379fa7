import { jpegDecoderFile } from "../../mod.ts";
import { isAvailable, openLibrary } from "../../src/ffi/library.ts";
import type { Finding } from "./findings.ts";

const oneDnn = openLibrary({
  name: "oneDNN",
  files: ["libdnnl.so.3", "libdnnl.so.2", "libdnnl.so"],
}, { dnnl_version: { parameters: [], result: "pointer" } }); // -> const dnnl_version_t *

/** Programs and libraries that the fast CPU backend, pictures and videos need. */
export async function inspectTools(): Promise<Finding[]> {
  return [
    await inspectProgram("compiler", Deno.env.get("CXX") ?? "g++", "--version", "apt install g++"),
    inspectOneDnn(),
    inspectJpeg(),
    await inspectProgram("ffmpeg", "ffmpeg", "-version", "apt install ffmpeg"),
  ];
}

async function inspectProgram(
  name: string,
  program: string,
  option: string,
  remedy: string,
): Promise<Finding> {
  try {
    const { stdout } = await new Deno.Command(program, { args: [option], stderr: "null" }).output();
    return { name, detail: new TextDecoder().decode(stdout).split("\n")[0] };
  } catch {
    return { name, detail: `${program} is missing`, remedy };
  }
}

function inspectOneDnn(): Finding {
  const name = "oneDNN", remedy = "apt install libdnnl-dev, then deno task build";
  if (!isAvailable(oneDnn)) return { name, detail: "missing", remedy };
  const version = oneDnn().dnnl_version();
  if (version === null) return { name, detail: "tells no version" };
  const view = new Deno.UnsafePointerView(version); // int major, minor, patch
  const numbers = [0, 4, 8].map((offset) => view.getInt32(offset));
  return { name, detail: `${numbers.join(".")} (${oneDnn.location()})` };
}

function inspectJpeg(): Finding {
  const name = "libjpeg-turbo", file = jpegDecoderFile();
  if (file) return { name, detail: file };
  return {
    name,
    detail: "missing, JPEG is read in TypeScript, slowly",
    remedy: "apt install libturbojpeg0",
  };
}
