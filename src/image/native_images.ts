/**
 * The functions of native/image: training images straight from JPEG files. Only what a window needs
 * is decoded (libjpeg-turbo's row and column skipping), and the pixels equal those of `renderLook()` on
 * the whole picture bit for bit.
 *
 * @module
 */
import { fromFileUrl } from "@std/path";
import { compiledLibrary } from "../ffi/compile.ts";
import { NativeHandle } from "../ffi/handle.ts";
import { isAvailable, type Library, NativeError, openLibrary } from "../ffi/library.ts";
import { cString } from "../ffi/memory.ts";
import type { Look } from "./look.ts";
import { turboJpeg } from "./turbojpeg.ts";
import { checkBox } from "./warp.ts";

/** Debian packages that hold the compiler, and libjpeg-turbo's two interfaces. */
export const IMAGE_PACKAGES: readonly string[] = ["g++", "libjpeg-dev", "libturbojpeg0-dev"];

const JPEG_HEADERS = ["/usr/include/jpeglib.h", "/usr/local/include/jpeglib.h"];

const symbols = {
  siamban_image_create: { parameters: [], result: "u64" }, // -> Session *
  siamban_image_destroy: { parameters: ["u64"], result: "void" }, // Session *
  siamban_image_error: { parameters: ["u64"], result: "pointer" }, // Session * -> const char *
  siamban_image_header: { // Session *, const uint8_t *jpeg, bytes, int32_t *size -> Status
    parameters: ["u64", "buffer", "u32", "buffer"],
    result: "i32",
  },
  siamban_image_decode: { parameters: ["u64", "buffer"], result: "i32" }, // Session *, Look * -> Status
  siamban_image_render: { parameters: ["u64", "buffer", "buffer"], result: "void" }, // and float *out
} as const satisfies Deno.ForeignLibraryInterface;

/** Statuses of native/image/native.hpp. */
const DONE = 0, UNSUPPORTED = 1;

/**
 * Compiles native/image, or finds it compiled.
 *
 * @returns Path of the library.
 * @throws {Error} If the compiler or a part of libjpeg-turbo is missing, with the remedy; native code
 * is never needed, `renderLook()` does the same.
 */
export async function nativeImageLibrary(): Promise<string> {
  const remedy = `install it with: apt-get install ${IMAGE_PACKAGES.join(" ")}`;
  if (!JPEG_HEADERS.some(isFile)) {
    throw new Error(`Cannot compile the native image library: jpeglib.h is missing, ${remedy}`);
  }
  // Pictures that native code leaves to TypeScript must come from the same decoder.
  if (!isAvailable(turboJpeg)) {
    throw new Error(`Cannot use the native image library: libturbojpeg is missing, ${remedy}`);
  }
  return await compiledLibrary({
    name: "siamban-image",
    title: "the native image library",
    sources: fromFileUrl(new URL("../../native/image/", import.meta.url)),
    output: fromFileUrl(new URL("../../build/native", import.meta.url)),
    compileFlags: [
      "-std=c++17",
      "-O3",
      "-fPIC",
      "-fvisibility=hidden",
      "-ffp-contract=off", // a fused multiply-add rounds once where TypeScript rounds twice
      "-fno-math-errno",
      "-fno-trapping-math",
      "-DSIAMBAN_JPEG",
    ],
    linkFlags: ["-shared", "-ljpeg"],
    versionHeaders: [...JPEG_HEADERS, "/usr/include/x86_64-linux-gnu/jconfig.h"],
    remedy,
    missing: (complaint) =>
      /cannot find -ljpeg/.test(complaint) ? "libjpeg-turbo is missing" : undefined,
  });
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** Makes training images on the thread that made it, one file after the other. */
export class NativeImages implements Disposable {
  readonly #library: Library<typeof symbols>;
  readonly #session: NativeHandle;
  readonly #size = new Int32Array(2);
  readonly #look = new Float64Array(13);
  /** A training image on its way to bytes. */
  #floats = new Float32Array(0);
  /** The file under way, which native code still reads. */
  #bytes?: Uint8Array<ArrayBuffer>;

  /**
   * @param file Path of the library, from {@linkcode nativeImageLibrary}.
   * @throws {LibraryNotFoundError} If it cannot be opened.
   */
  constructor(file: string) {
    const remedy = 'build it again with "deno task build"';
    const options = { name: "the native image library", files: [file], remedy };
    this.#library = openLibrary(options, symbols);
    this.#session = new NativeHandle(
      (out) => out[0] = this.#library().siamban_image_create(),
      (session) => this.#library().siamban_image_destroy(session),
    );
  }

  /**
   * Begins a JPEG file; its bytes must stay as they are until {@linkcode decode}.
   *
   * @returns The picture's size; undefined for a file of another kind, such as CMYK or progressive.
   * @throws {NativeError} If the file is damaged.
   */
  begin(jpeg: Uint8Array<ArrayBuffer>): { width: number; height: number } | undefined {
    this.#bytes = jpeg;
    const { siamban_image_header: read } = this.#library();
    const status = read(this.#session.address, jpeg, jpeg.length, this.#size);
    if (status === UNSUPPORTED) return undefined;
    this.#check("siamban_image_header", status);
    return { width: this.#size[0], height: this.#size[1] };
  }

  /**
   * Decodes what a look's window needs of the file.
   *
   * @throws {RangeError} If the window has no positive, finite size.
   * @throws {NativeError} If the file is damaged before the window's end.
   */
  decode({ window, size, gray, color, blur, flip }: Look): void {
    const { x1, y1, x2, y2 } = window;
    checkBox(window);
    const look = this.#look;
    look.set([x1, y1, x2, y2, size, Number(gray), Number(color !== undefined)]);
    look.set(color ?? [0, 0, 0], 7);
    look.set([blur?.size ?? 0, blur?.verticalShare ?? 0, Number(flip)], 10);
    const status = this.#library().siamban_image_decode(this.#session.address, look);
    this.#bytes = undefined;
    this.#check("siamban_image_decode", status);
  }

  /** Writes what was decoded with the look that it was decoded for; `[size, size, 3]`. */
  render(into: Uint8Array | Float32Array): void {
    const size = this.#look[4];
    if (into.length !== size * size * 3) {
      throw new RangeError(`Cannot render into ${into.length} numbers, expected ${size ** 2 * 3}`);
    }
    const floats = into instanceof Float32Array ? into : this.#floatsFor(into.length);
    const out = floats as Float32Array<ArrayBuffer>; // native code may write into shared memory
    this.#library().siamban_image_render(this.#session.address, this.#look, out);
    if (floats !== into) into.set(floats);
  }

  #floatsFor(length: number): Float32Array {
    if (this.#floats.length !== length) this.#floats = new Float32Array(length);
    return this.#floats;
  }

  #check(call: keyof typeof symbols, status: number): void {
    if (status === DONE) return;
    this.#bytes = undefined;
    const words = cString(this.#library().siamban_image_error(this.#session.address));
    throw new NativeError(call, status, words);
  }

  [Symbol.dispose](): void {
    this.#session[Symbol.dispose]();
  }
}
