/**
 * Runs a script of this folder in a process of its own, so that its memory is no other's.
 *
 * @returns What it prints, one line of JSON.
 * @throws {Error} If it fails; the message has its words.
 */
export async function runInOwnProcess<T>(
  script: string,
  parameters: readonly string[],
): Promise<T> {
  const configuration = new URL("../../deno.json", import.meta.url).pathname;
  const path = new URL(script, import.meta.url).href;
  const args = ["run", "-A", "--config", configuration, path, ...parameters];
  // By the name that the task allows, which under npx is not this very file's.
  const { stdout, success, stderr } = await new Deno.Command("deno", { args }).output();
  if (!success) throw new Error(`Cannot run ${script}: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}
