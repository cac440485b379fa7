import { dirname, join } from "@std/path";
import { decodeImage } from "../image/decode.ts";
import type { Image } from "../image/image.ts";
import { readSafetensors, type StateDict } from "../weights/mod.ts";

/** A part of the golden files that a comparison needs and that is not there. */
export class MissingGolden extends Error {
  override readonly name = "MissingGolden";
}

/**
 * A folder of golden files. It keeps account of which files were looked at, so that the others can
 * be named in the end. Paths are relative to it, with `/`.
 */
export class GoldenFolder {
  readonly root: string;
  /** All files, sorted. */
  readonly files: readonly string[];
  readonly #present: ReadonlySet<string>;
  readonly #used = new Set<string>();

  private constructor(root: string, files: readonly string[]) {
    this.root = root;
    this.files = files;
    this.#present = new Set(files);
  }

  /**
   * Lists a folder and all folders in it, but for hidden ones.
   *
   * @throws {Deno.errors.NotFound} If there is no such folder.
   */
  static async open(root: string): Promise<GoldenFolder> {
    const files: string[] = [];
    for await (const path of listFiles(root, "")) files.push(path);
    return new GoldenFolder(root, files.sort());
  }

  has(path: string): boolean {
    return this.#present.has(path);
  }

  /** Says that files are known, whether they are there or not. */
  use(...paths: readonly string[]): void {
    for (const path of paths) this.#used.add(path);
  }

  /** The files that nobody used. */
  unused(): string[] {
    return this.files.filter((path) => !this.#used.has(path));
  }

  /** Where a file lies on this machine. */
  pathOf(path: string): string {
    return join(this.root, path);
  }

  /** JSON, with the texts `NaN`, `Infinity` and `-Infinity` for the numbers that JSON lacks. */
  async json(path: string): Promise<unknown> {
    return JSON.parse(
      await this.text(path),
      (_, value) => Object.hasOwn(NUMBERS, String(value)) ? NUMBERS[value as string] : value,
    );
  }

  async text(path: string): Promise<string> {
    return await Deno.readTextFile(this.pathOf(path));
  }

  /** A picture's pixels, B, G, R. */
  async image(path: string): Promise<Image> {
    const bytes = await Deno.readFile(this.pathOf(path));
    return await decodeImage(bytes, { path });
  }

  /**
   * The tensors beside a JSON file: those of its namesake; where it has none, those of all
   * safetensors files in its folder.
   */
  async tensorsBeside(path: string): Promise<StateDict> {
    const namesake = path.replace(/\.json$/, ".safetensors");
    const paths = this.has(namesake)
      ? [namesake]
      : this.files.filter((file) =>
        dirname(file) === dirname(path) && file.endsWith(".safetensors")
      );
    const all = new Map();
    for (const file of paths) {
      const { tensors } = await readSafetensors(this.pathOf(file));
      for (const [name, tensor] of tensors) all.set(name, tensor);
    }
    if (this.has(namesake)) this.use(namesake);
    return all;
  }
}

const NUMBERS: Readonly<Record<string, number>> = {
  "NaN": NaN,
  "Infinity": Infinity,
  "-Infinity": -Infinity,
};

async function* listFiles(root: string, folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(join(root, folder))) {
    if (name.startsWith(".")) continue;
    const path = join(folder, name);
    if (isDirectory) yield* listFiles(root, path);
    else yield path;
  }
}
