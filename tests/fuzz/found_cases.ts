import { join } from "@std/path";

/** Where cases lie that were faults once, a folder a target. */
export const FOUND = new URL("../fixtures/fuzz/", import.meta.url);

/** The found cases of a target, by name. */
export async function foundCases(target: string): Promise<Uint8Array<ArrayBuffer>[]> {
  const folder = new URL(`${target}/`, FOUND);
  const names: string[] = [];
  try {
    for await (const { name, isFile } of Deno.readDir(folder)) if (isFile) names.push(name);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  return await Promise.all(names.sort().map((name) => Deno.readFile(new URL(name, folder))));
}

/**
 * Keeps a case.
 *
 * @returns Its path.
 */
export async function keepCase(
  target: string,
  bytes: Uint8Array<ArrayBuffer>,
  root: URL | string = FOUND,
): Promise<string> {
  const folder = join(root instanceof URL ? root.pathname : root, target);
  await Deno.mkdir(folder, { recursive: true });
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
  const path = join(folder, hash.slice(0, 16));
  await Deno.writeFile(path, bytes);
  return path;
}
