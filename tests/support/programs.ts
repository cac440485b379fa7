/** Whether a program is installed; a test that needs it is ignored otherwise. */
export async function hasProgram(name: string): Promise<boolean> {
  try {
    await new Deno.Command(name, { args: ["-version"], stdout: "null", stderr: "null" }).output();
    return true;
  } catch {
    return false;
  }
}
