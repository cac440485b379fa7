import { createHash } from "node:crypto";
import { fromFileUrl } from "@std/path";
import common from "../../../native/cuda/common.cuh" with { type: "text" };
import type { NativeHandle } from "../../ffi/handle.ts";
import type { Driver } from "./bindings/driver.ts";
import type { Nvrtc } from "./bindings/nvrtc.ts";

const SOURCES = fromFileUrl(new URL("../../../native/cuda", import.meta.url));
const OUTPUT = fromFileUrl(new URL("../../../build/cuda", import.meta.url));

/** How NVRTC is to compile; `--fmad=false` is not asked for, so a · b + c rounds once. */
export const COMPILE_OPTIONS = ["--std=c++17", "--device-as-default-execution-space"];

/** CUDA C++ text with its functions; compiled at the first launch, once a set of macros. */
export class CudaProgram {
  /** The file's name without its ending. */
  readonly name: string;
  readonly source: string;
  /** Headers by the name under which the source includes them; `common.cuh` is always there. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(name: string, source: string, headers: Readonly<Record<string, string>> = {}) {
    this.name = name;
    this.source = source;
    this.headers = { "common.cuh": common, ...headers };
  }
}

/** Values of macros by name. */
export type Defines = Readonly<Record<string, string | number>>;

/** A program does not compile: a fault of this library or of the NVRTC at hand. */
export class CudaCompileError extends Error {
  override readonly name = "CudaCompileError";
}

/** Loaded functions of programs, and compiled images on the disk. */
export class ProgramCache implements Disposable {
  readonly #driver: Driver;
  readonly #nvrtc: Nvrtc;
  readonly #capability: number;
  readonly #options: readonly string[];
  readonly #modules = new Map<string, NativeHandle>();
  readonly #functions = new WeakMap<CudaProgram, Map<string, bigint>>();
  #architecture: string | undefined;
  /** Programs that were compiled, and not found on the disk. */
  compiled = 0;

  /**
   * @param options `capability`: compute capability of the card, 10 · major + minor. `compileOptions`: NVRTC's,
   * beside those that every program has.
   */
  constructor(
    driver: Driver,
    nvrtc: Nvrtc,
    { capability, compileOptions = [] }: {
      readonly capability: number;
      readonly compileOptions?: readonly string[];
    },
  ) {
    this.#driver = driver;
    this.#nvrtc = nvrtc;
    this.#capability = capability;
    this.#options = [...COMPILE_OPTIONS, ...compileOptions];
  }

  /**
   * A function of a program, compiled for this card.
   *
   * @throws {CudaCompileError} If it does not compile; the message shows the log and the source.
   */
  function(program: CudaProgram, kernel: string, defines: Defines = {}): bigint {
    let functions = this.#functions.get(program);
    if (!functions) this.#functions.set(program, functions = new Map());
    const key = Object.entries(defines).flat().concat(kernel).join(" ");
    let found = functions.get(key);
    if (found === undefined) {
      found = this.#driver.getFunction(this.#module(program, defines).address, kernel);
      functions.set(key, found);
    }
    return found;
  }

  #module(program: CudaProgram, defines: Defines): NativeHandle {
    const macros = Object.entries(defines).map(([name, value]) => `-D${name}=${value}`);
    const options = [...this.#options, `--gpu-architecture=${this.#target()}`, ...macros];
    const key = fingerprint([
      this.#nvrtc.version(),
      this.#nvrtc.location,
      program.source,
      ...Object.entries(program.headers).flat(),
      ...options,
    ]);
    let module = this.#modules.get(key);
    if (!module) {
      const file = `${cacheFolder()}/${program.name}-${key}.bin`;
      const image = readIfThere(file) ?? this.#compile(program, options, file);
      module = this.#driver.loadModule(image);
      this.#modules.set(key, module);
    }
    return module;
  }

  /** What is compiled for. */
  #target(): string {
    return this.#architecture ??= targetFor(this.#capability, this.#nvrtc.architectures()) ??
      this.#refuseCard();
  }

  #refuseCard(): never {
    const [oldest] = this.#nvrtc.architectures();
    throw new CudaCompileError(
      `Cannot compile for this card: its compute capability is ${dotted(this.#capability)} and ` +
        `NVRTC ${this.#nvrtc.version()} knows none below ${dotted(oldest)}, install NVRTC 12 ` +
        `alone, or use another card`,
    );
  }

  #compile(program: CudaProgram, options: readonly string[], file: string) {
    const { name, source, headers } = program;
    const { image, log } = this.#nvrtc.compile({ name: `${name}.cu`, source, headers, options });
    if (image === undefined) {
      throw new CudaCompileError(
        `Cannot compile ${name}.cu with ${
          options.join(" ")
        }: NVRTC ${this.#nvrtc.version()} says\n` +
          `${log}\n${numbered(source)}`,
      );
    }
    this.compiled++;
    writeWhole(file, image);
    return image;
  }

  [Symbol.dispose](): void {
    for (const module of this.#modules.values()) module[Symbol.dispose]();
    this.#modules.clear();
  }
}

/**
 * What to compile for a card: its machine code, or, where the compiler does not know the card, PTX of the nearest
 * older kind, which the driver compiles further.
 *
 * @param known Kinds of cards, such as 90, ascending.
 * @returns Nothing where all of them are newer than the card.
 */
export function targetFor(capability: number, known: readonly number[]): string | undefined {
  if (known.includes(capability)) return `sm_${capability}`;
  const nearest = known.findLast((architecture) => architecture < capability);
  return nearest === undefined ? undefined : `compute_${nearest}`;
}

function dotted(capability: number): string {
  return `${Math.floor(capability / 10)}.${capability % 10}`;
}

/** Where SIAMBAN_BUILD says, in a clone its `build` folder, else with the user's other caches. */
function cacheFolder(): string {
  const build = Deno.env.get("SIAMBAN_BUILD");
  if (build) return `${build}/cuda`;
  if (isFolder(SOURCES)) return OUTPUT;
  const caches = Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "."}/.cache`;
  return `${caches}/siamban/cuda`;
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false;
  }
}

function fingerprint(parts: readonly string[]): string {
  return createHash("sha256").update(parts.join("\0")).digest("hex").slice(0, 20);
}

function readIfThere(file: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Deno.readFileSync(file);
  } catch {
    return undefined; // compiled again, and written if that can be
  }
}

/** The file appears whole, whoever else does the same; without it the next run compiles again. */
function writeWhole(file: string, bytes: Uint8Array): void {
  try {
    Deno.mkdirSync(file.slice(0, file.lastIndexOf("/")), { recursive: true });
    const partial = `${file}.${crypto.randomUUID().slice(0, 8)}.partial`;
    Deno.writeFileSync(partial, bytes);
    Deno.renameSync(partial, file);
  } catch {
    // A folder that cannot be written costs a second at the next start, nothing else.
  }
}

function numbered(source: string): string {
  return source.split("\n")
    .map((line, i) => `${String(i + 1).padStart(4)} | ${line}`)
    .join("\n");
}
