import { type Library, type LibraryOptions, openLibrary } from "../../../ffi/library.ts";
import { addressOf, cString, toCString } from "../../../ffi/memory.ts";
import { openNvrtcBuiltins } from "../libraries.ts";
import { type Checked, checker } from "./status.ts";

const symbols = {
  nvrtcVersion: { parameters: ["buffer", "buffer"], result: "i32" }, // int *major, int *minor
  nvrtcGetErrorString: { parameters: ["i32"], result: "pointer" }, // nvrtcResult -> const char *
  nvrtcGetNumSupportedArchs: { parameters: ["buffer"], result: "i32" }, // int *
  nvrtcGetSupportedArchs: { parameters: ["buffer"], result: "i32" }, // int[]
  // nvrtcProgram *, source, name, number of headers, headers[], include names[]
  nvrtcCreateProgram: {
    parameters: ["buffer", "buffer", "buffer", "i32", "buffer", "buffer"],
    result: "i32",
  },
  nvrtcCompileProgram: { parameters: ["u64", "i32", "buffer"], result: "i32" }, // nvrtcProgram, number, options[]
  nvrtcDestroyProgram: { parameters: ["buffer"], result: "i32" }, // nvrtcProgram *
  nvrtcGetCUBINSize: { parameters: ["u64", "buffer"], result: "i32" }, // nvrtcProgram, size_t *
  nvrtcGetCUBIN: { parameters: ["u64", "buffer"], result: "i32" }, // nvrtcProgram, char *
  nvrtcGetPTXSize: { parameters: ["u64", "buffer"], result: "i32" }, // nvrtcProgram, size_t *
  nvrtcGetPTX: { parameters: ["u64", "buffer"], result: "i32" }, // nvrtcProgram, char *
  nvrtcGetProgramLogSize: { parameters: ["u64", "buffer"], result: "i32" }, // nvrtcProgram, size_t *
  nvrtcGetProgramLog: { parameters: ["u64", "buffer"], result: "i32" }, // nvrtcProgram, char *
} as const satisfies Deno.ForeignLibraryInterface;

/** `NVRTC_ERROR_COMPILATION`: the log says why. */
const COMPILATION_FAILED = 6;

/** A program in C++ as NVRTC takes it. */
export interface ProgramText {
  /** File name in messages. */
  readonly name: string;
  readonly source: string;
  /** Texts of headers by the name under which they are included. */
  readonly headers: Readonly<Record<string, string>>;
  readonly options: readonly string[];
}

/** What NVRTC made of a program: an image to load, or nothing; and what it said. */
export interface Compilation {
  readonly image?: Uint8Array<ArrayBuffer>;
  readonly log: string;
}

type SizeCall = "nvrtcGetCUBINSize" | "nvrtcGetPTXSize" | "nvrtcGetProgramLogSize";
type TextCall = "nvrtcGetCUBIN" | "nvrtcGetPTX" | "nvrtcGetProgramLog";

/** `libnvrtc`: compiles CUDA C++ at run time, without a toolkit. */
export class Nvrtc {
  readonly #library: Library<typeof symbols>;
  readonly #check: Checked;
  #opened = false;

  /** Opens nothing. */
  constructor(places: LibraryOptions) {
    this.#library = openLibrary(places, symbols);
    this.#check = checker((status) => cString(this.#nvrtc.nvrtcGetErrorString(status)));
  }

  /** The opened file. */
  get location(): string {
    return this.#library.location();
  }

  get #nvrtc() {
    if (!this.#opened) {
      openNvrtcBuiltins(this.location);
      this.#opened = true;
    }
    return this.#library();
  }

  /** Major and minor version, such as 13.0. */
  version(): string {
    const major = new Int32Array(1), minor = new Int32Array(1);
    this.#check("nvrtcVersion", this.#nvrtc.nvrtcVersion(major, minor));
    return `${major[0]}.${minor[0]}`;
  }

  /** Architectures it can compile for, such as 90, ascending. */
  architectures(): number[] {
    const count = new Int32Array(1);
    this.#check("nvrtcGetNumSupportedArchs", this.#nvrtc.nvrtcGetNumSupportedArchs(count));
    const found = new Int32Array(count[0]);
    this.#check("nvrtcGetSupportedArchs", this.#nvrtc.nvrtcGetSupportedArchs(found));
    return [...found].sort((a, b) => a - b);
  }

  /**
   * Compiles a program.
   *
   * @param text An option `sm_NN` as architecture makes a cubin, `compute_NN` PTX.
   * @throws {CudaError} If NVRTC itself fails; a program that is wrong gives no image, and the log.
   */
  compile({ name, source, headers, options }: ProgramText): Compilation {
    const cell = new BigUint64Array(1);
    const names = cStrings(Object.keys(headers)), texts = cStrings(Object.values(headers));
    const created = this.#nvrtc.nvrtcCreateProgram(
      cell,
      toCString(source),
      toCString(name),
      texts.strings.length,
      texts.table,
      names.table,
    );
    this.#check("nvrtcCreateProgram", created);
    const program = cell[0];
    try {
      const flags = cStrings(options);
      const status = this.#nvrtc.nvrtcCompileProgram(program, flags.strings.length, flags.table);
      const log = this.#text(program, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog");
      const words = new TextDecoder().decode(log.subarray(0, -1)).trim();
      if (status === COMPILATION_FAILED) return { log: words };
      this.#check(`nvrtcCompileProgram("${name}", ${options.join(" ")})`, status);
      const cubin = this.#text(program, "nvrtcGetCUBINSize", "nvrtcGetCUBIN");
      const image = cubin.length > 0
        ? cubin
        : this.#text(program, "nvrtcGetPTXSize", "nvrtcGetPTX");
      return { image, log: words };
    } finally {
      this.#check("nvrtcDestroyProgram", this.#nvrtc.nvrtcDestroyProgram(cell));
    }
  }

  #text(program: bigint, sizeCall: SizeCall, textCall: TextCall): Uint8Array<ArrayBuffer> {
    const size = new BigUint64Array(1);
    this.#check(sizeCall, this.#nvrtc[sizeCall](program, size));
    const bytes = new Uint8Array(Number(size[0]));
    if (bytes.length > 0) this.#check(textCall, this.#nvrtc[textCall](program, bytes));
    return bytes;
  }
}

/** An array of C strings; `strings` must be held while C reads the table. */
function cStrings(texts: readonly string[]) {
  const strings = texts.map(toCString);
  return { strings, table: BigUint64Array.from(strings, addressOf) };
}
