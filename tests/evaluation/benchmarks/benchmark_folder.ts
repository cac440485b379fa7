/** Benchmark folders for tests: text files and pictures that are but a header. */
import { dirname, join } from "@std/path";

/** First bytes of a PNG of a size, all that a reader of sizes needs. */
export function pictureHeader(width: number, height: number): Uint8Array {
  const bytes = new Uint8Array(33);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13]);
  bytes.set(new TextEncoder().encode("IHDR"), 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(16, width);
  view.setUint32(20, height);
  return bytes;
}

/** Content of files by path; a number stands for so many pictures, `<path>/0001.png` and so on. */
export type FolderContent = Readonly<Record<string, string | number>>;

/** Runs a test on a folder. */
export async function withFolder(
  content: FolderContent,
  test: (root: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  const write = async (path: string, bytes: Uint8Array) => {
    await Deno.mkdir(dirname(join(root, path)), { recursive: true });
    await Deno.writeFile(join(root, path), bytes);
  };
  try {
    for (const [path, value] of Object.entries(content)) {
      if (typeof value === "string") await write(path, new TextEncoder().encode(value));
      for (let i = 1; typeof value === "number" && i <= value; i++) {
        await write(`${path}/${String(i).padStart(4, "0")}.png`, pictureHeader(64, 48));
      }
    }
    await test(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}
