/** A folder on a small disk of its own, which can be filled and made read-only without harm to others. */

/** Bytes of the disk. */
const SIZE = "96m";

/**
 * Whether this machine lets a program have disks of its own, in a namespace that ends with the program.
 */
export async function canBound(): Promise<boolean> {
  return await succeeds("unshare", [...NAMESPACE, "true"]);
}

/** Of unshare: disks of its own, and the right to mount them, as root of nothing else. */
export const NAMESPACE = ["--mount", "--map-root-user"] as const;

/** Puts a small disk in the place of a folder, for this program and those that it starts. */
export async function bound(folder: string): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  await mount(["-t", "tmpfs", "-o", `size=${SIZE}`, "siamban-soak", folder]);
}

/**
 * Refuses writing to a bounded folder, until the result is disposed of. What is open for writing stays so, which is why
 * the disk itself cannot be made read-only: a view of it takes its place.
 */
export async function forbid(folder: string): Promise<AsyncDisposable> {
  await mount(["--bind", folder, folder]);
  await mount(["-o", "remount,bind,ro", folder]);
  return {
    async [Symbol.asyncDispose]() {
      if (!await succeeds("umount", [folder])) throw new Error(`Cannot unmount "${folder}"`);
    },
  };
}

/** Takes the disk of a bounded folder away, until the result is disposed of. */
export async function takeAway(folder: string): Promise<AsyncDisposable> {
  const elsewhere = `${folder}-away`;
  await Deno.mkdir(elsewhere, { recursive: true });
  await mount(["--move", folder, elsewhere]);
  return { [Symbol.asyncDispose]: () => mount(["--move", elsewhere, folder]) };
}

async function mount(args: readonly string[]): Promise<void> {
  if (await succeeds("mount", args)) return;
  throw new Error(`Cannot mount ${args.join(" ")}, expected the right to it in this namespace`);
}

/** Fills the disk of a folder to the last byte, until the result is disposed of. */
export async function fill(folder: string): Promise<AsyncDisposable> {
  const path = `${folder}/ballast`;
  using file = await Deno.open(path, { write: true, create: true });
  for (let size = 1 << 20; size >= 1;) {
    try {
      await file.write(new Uint8Array(size));
    } catch (error) {
      if ((error as { code?: string }).code !== "ENOSPC") throw error;
      size >>= 1;
    }
  }
  return { [Symbol.asyncDispose]: () => Deno.remove(path) };
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  const command = new Deno.Command(program, { args: [...args], stdout: "null", stderr: "null" });
  return await command.output().then(({ success }) => success, () => false);
}
