/**
 * Copies imagescript to where a bundle in the folder finds it: `copy_imagescript.ts FOLDER`. It reads
 * codecs that lie beside it, so that it cannot be part of a bundle.
 */
import { dirname, fromFileUrl, join } from "@std/path";

const [folder] = Deno.args;

/** Codecs for other machines, and what only its own developers need. */
const LEFT_OUT = /(?:arm64|x64)-(?!linux)|\/(?:bench|tests)$/;

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    const source = join(from, name);
    if (LEFT_OUT.test(source)) continue;
    await (isDirectory ? copy : Deno.copyFile)(source, join(to, name));
  }
}

const source = dirname(fromFileUrl(import.meta.resolve("imagescript")));
await copy(source, join(folder, "node_modules/imagescript"));
const { version } = JSON.parse(await Deno.readTextFile(join(source, "package.json")));
const manifest = { private: true, dependencies: { imagescript: version } };
await Deno.writeTextFile(join(folder, "package.json"), JSON.stringify(manifest));
