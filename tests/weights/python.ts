/** A Python that has PyTorch, where there is one: it is the judge of what PyTorch can read. */
export const PYTHON_WITH_TORCH: string | undefined = ["python3", "/usr/bin/python3"].find(hasTorch);

function hasTorch(python: string): boolean {
  try {
    const { success } = new Deno.Command(python, {
      args: ["-c", "import torch"],
      stdout: "null",
      stderr: "null",
    }).outputSync();
    return success;
  } catch {
    return false;
  }
}

/** Runs a script and gives what it prints; fails with what it complains. */
export async function runPython(script: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(PYTHON_WITH_TORCH!, {
    args: ["-c", script, ...args],
  }).output();
  if (success) return new TextDecoder().decode(stdout);
  throw new Error(new TextDecoder().decode(stderr));
}
