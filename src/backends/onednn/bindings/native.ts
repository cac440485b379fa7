import { NativeError, openLibrary } from "../../../ffi/library.ts";
import { addressOf, cString, ParameterBlock } from "../../../ffi/memory.ts";
import { waitBriefly } from "../../../ffi/openmp.ts";

/** A function that takes one block of arguments, see native/cpu/native.hpp. */
const CALL = { parameters: ["buffer"], result: "i32" } as const; // const Args * -> status

const symbols = {
  siamban_last_error: { parameters: [], result: "pointer" }, // -> const char *
  siamban_set_threads: { parameters: ["i32"], result: "i32" }, // count -> count in use
  siamban_pin_threads: { parameters: [], result: "i32" }, // -> count of tied threads
  siamban_advise_huge_pages: { parameters: ["u64", "u64"], result: "void" }, // address, bytes
  siamban_conv2d_plan: CALL,
  siamban_conv2d_pack: CALL,
  siamban_conv2d_forward: CALL,
  siamban_conv2d_backward_input: CALL,
  siamban_conv2d_backward_weight: CALL,
  siamban_fold_norm: CALL,
  siamban_batch_norm: CALL,
  siamban_batch_norm_backward: CALL,
  siamban_channel_sum: CALL,
  siamban_activation: CALL,
  siamban_activation_backward: CALL,
  siamban_max_pool2d: CALL,
  siamban_max_pool2d_backward: CALL,
  siamban_xcorr_depthwise: CALL,
  siamban_select_cross_entropy: CALL,
  siamban_iou_loss: CALL,
  siamban_sgd_update: CALL,
  siamban_add: CALL,
  siamban_multiply: CALL,
  siamban_add_n: CALL,
  siamban_equal: CALL,
  siamban_copy_box: CALL,
  siamban_hard_swish: CALL,
  siamban_hard_swish_backward: CALL,
  siamban_spatial_mean: CALL,
  siamban_spatial_mean_backward: CALL,
  siamban_channel_gate: CALL,
  siamban_channel_gate_backward: CALL,
  siamban_batch_matmul: CALL,
  siamban_exp: CALL,
  siamban_widen_bytes: CALL,
  siamban_function_address: CALL,
  siamban_run_program: CALL,
  siamban_fuse_levels: CALL,
  siamban_fuse_levels_backward: CALL,
  siamban_measure_peak: CALL,
} as const satisfies Deno.ForeignLibraryInterface;

/** Name of a native function that takes a block of arguments. */
export type NativeCall = {
  [K in keyof typeof symbols]: (typeof symbols)[K] extends typeof CALL ? K : never;
}[keyof typeof symbols];

/** Arguments of a {@linkcode NativeCall}, in the order of its C struct. */
export interface NativeArguments {
  /** Memory; absent is NULL. */
  readonly arrays: readonly (ArrayBufferView | undefined)[];
  /** What becomes `int64_t`. */
  readonly integers?: readonly number[];
  /** What becomes `double`. */
  readonly reals?: readonly number[];
}

/** The functions of native/cpu. */
export class NativeCpu {
  readonly #functions: Deno.DynamicLibrary<typeof symbols>["symbols"];
  readonly #block = new ParameterBlock();

  /**
   * @param file The compiled library.
   * @throws {LibraryNotFoundError} If it cannot be opened.
   */
  constructor(file: string) {
    waitBriefly();
    this.#functions = openLibrary({
      name: "the native CPU library",
      files: [file],
      remedy: 'build it again with "deno task build"',
    }, symbols)();
  }

  /** Uses `count` threads, or one a core for 0; returns the number in use. */
  setThreads(count: number): number {
    return this.#functions.siamban_set_threads(count);
  }

  /** Ties each thread but this one to a processor of its own; returns how many it tied. */
  pinThreads(): number {
    return this.#functions.siamban_pin_threads();
  }

  /** Asks for huge pages behind fresh memory. */
  adviseHugePages(address: bigint, bytes: number): void {
    this.#functions.siamban_advise_huge_pages(address, BigInt(bytes));
  }

  /**
   * Runs a function.
   *
   * @param about What the call was about, such as shapes; asked only when it failed.
   * @param note Given the arguments as native code sees them, once the call has succeeded.
   * @returns Seconds in the function itself.
   * @throws {NativeError} If the function says that it failed.
   */
  run(
    name: NativeCall,
    call: NativeArguments,
    about: () => string,
    note?: (block: Uint8Array) => void,
  ): number {
    const block = this.#fill(call);
    const start = performance.now();
    const status = this.#functions[name](block.cells);
    if (status === 0) {
      const seconds = (performance.now() - start) / 1000;
      note?.(block.cells.subarray(0, 8 * block.length));
      return seconds;
    }
    const reason = cString(this.#functions.siamban_last_error());
    throw new NativeError(name, status, `${reason}, with ${about()}`);
  }

  /** The arguments of a call as native code sees them; overwritten by the next call. */
  argumentsOf(call: NativeArguments): Uint8Array {
    const block = this.#fill(call);
    return block.cells.subarray(0, 8 * block.length);
  }

  #fill({ arrays, integers = [], reals = [] }: NativeArguments): ParameterBlock {
    const block = this.#block.clear();
    for (const array of arrays) block.address(array === undefined ? 0n : addressOf(array));
    for (const value of integers) block.int64(value);
    for (const value of reals) block.float64(value);
    return block;
  }
}

/** A text that ends with a zero, for native code. */
export function textBytes(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}
