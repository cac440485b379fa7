import { parseArgs } from "@std/cli/parse-args";
import { buildNative } from "../src/backends/onednn/build.ts";

/**
 * Builds the native CPU library: `deno task build [--install]`. With `--install` it first installs
 * what is missing through apt.
 */
export async function main(args: string[]): Promise<void> {
  const { install } = parseArgs(args, { boolean: ["install"] });
  for await (const { name, detail } of buildNative({ install })) console.log(`${name}: ${detail}`);
}

if (import.meta.main) {
  try {
    await main(Deno.args);
  } catch (error) {
    console.error((error as Error).message);
    Deno.exit(1);
  }
}
