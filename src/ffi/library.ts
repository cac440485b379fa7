/** Which shared library to open, where to look, and what to tell a person who lacks it. */
export interface LibraryOptions {
  /** Name in messages, such as "libjpeg-turbo". */
  readonly name: string;
  /**
   * Candidates in order: a bare file name goes to the system's loader, a path is taken as it is.
   * A function is called at the first use, for candidates that must be searched for.
   */
  readonly files: readonly string[] | (() => readonly string[]);
  /** Environment variable that names the file, or a folder (or its `lib`) that holds it. */
  readonly env?: string;
  /** What to do when it is missing, such as `install it with "apt install libturbojpeg0"`. */
  readonly remedy?: string;
}

/**
 * Gives a library's functions; opens it at the first call.
 *
 * @throws {LibraryNotFoundError} If no candidate can be opened.
 */
export interface Library<S extends Deno.ForeignLibraryInterface> {
  (): Deno.DynamicLibrary<S>["symbols"];
  /** The file that was opened, as it was given to the loader; opens the library if need be. */
  location(): string;
}

/** No candidate of a library can be opened; the caller may fall back on something else. */
export class LibraryNotFoundError extends Error {
  override readonly name = "LibraryNotFoundError";
  /** The places tried, each with the loader's reason. */
  readonly tried: readonly string[];

  constructor({ name, remedy }: LibraryOptions, tried: readonly string[]) {
    const places = tried.map((place) => `\n  ${place}`).join("");
    super(`Cannot open ${name}${remedy ? `, ${remedy}` : ""}; tried:${places}`);
    this.tried = tried;
  }
}

/** A native call returned a status that says it failed. */
export class NativeError extends Error {
  override readonly name: string = "NativeError";

  /**
   * @param call The C function.
   * @param status What it returned.
   * @param detail The library's words for it, and what the call was about.
   */
  constructor(readonly call: string, readonly status: number, detail: string) {
    super(`Cannot run ${call}: ${detail} (status ${status})`);
  }
}

/**
 * Declares a shared library. Nothing is opened until the returned function is called; it is never
 * closed, because calling a symbol of a closed library ends the process.
 *
 * @param symbols The functions, `as const satisfies Deno.ForeignLibraryInterface`.
 *
 * @example
 * ```ts ignore
 * const symbols = {
 *   getpid: { parameters: [], result: "i32" }, // pid_t
 * } as const satisfies Deno.ForeignLibraryInterface;
 * const libc = openLibrary({ name: "the C library", files: ["libc.so.6"] }, symbols);
 * libc().getpid();
 * ```
 */
export function openLibrary<const S extends Deno.ForeignLibraryInterface>(
  options: LibraryOptions,
  symbols: S,
): Library<S> {
  let opened: { symbols: Deno.DynamicLibrary<S>["symbols"]; location: string } | undefined;
  const open = () => opened ??= openFirst(options, symbols);
  return Object.assign(() => open().symbols, { location: () => open().location });
}

/** Whether a library can be opened; opens it. */
export function isAvailable(library: Library<Deno.ForeignLibraryInterface>): boolean {
  try {
    library();
    return true;
  } catch (error) {
    if (error instanceof LibraryNotFoundError) return false;
    throw error;
  }
}

function openFirst<S extends Deno.ForeignLibraryInterface>(options: LibraryOptions, symbols: S) {
  const tried: string[] = [];
  for (const location of candidates(options)) {
    try {
      return { symbols: Deno.dlopen(location, symbols).symbols, location };
    } catch (error) {
      tried.push(`${location} (${reason(error)})`);
    }
  }
  throw new LibraryNotFoundError(options, tried);
}

function candidates({ files, env }: LibraryOptions): string[] {
  const names = typeof files === "function" ? files() : files;
  const place = env && Deno.env.get(env);
  if (!place) return [...names];
  const bases = names.map((file) => file.slice(file.lastIndexOf("/") + 1));
  const folders = [place, `${place}/lib`, `${place}/lib64`];
  const inFolders = folders.flatMap((folder) => bases.map((base) => `${folder}/${base}`));
  return [...(isFolder(place) ? inFolders : [place]), ...names];
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message.split("\n")[0] : String(error);
}
