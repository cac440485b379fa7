/** The text that a `const char *` points to; empty for NULL. */
export function cString(pointer: Deno.PointerValue): string {
  return pointer === null ? "" : Deno.UnsafePointerView.getCString(pointer);
}

/** UTF-8 bytes and a final zero, for a `const char *` parameter declared as "buffer". */
export function toCString(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`${text}\0`);
}

/**
 * The address of a typed array's first element. It stays valid while the array is reachable and its
 * buffer is neither transferred nor resized: the caller keeps a reference.
 */
export function addressOf(array: ArrayBufferView<ArrayBufferLike>): bigint {
  // An empty view has no address of its own; native code sees NULL, as in a "buffer" parameter.
  const pointer = Deno.UnsafePointer.of(array as ArrayBufferView<ArrayBuffer>);
  return pointer === null ? 0n : Deno.UnsafePointer.value(pointer);
}

/**
 * Arguments of one native call, each in its own 8-byte cell, so that a call with thirty arguments
 * crosses the border as one pointer. Reusable: the callee reads the values during the call.
 *
 * @example The parameters of a kernel launch: `table` is the `void **` that CUDA wants
 * ```ts ignore
 * const block = new ParameterBlock().address(x).address(y).int32(n).float32(0.5);
 * cuda().cuLaunchKernel(kernel, …, block.table, null);
 * ```
 */
export class ParameterBlock {
  /** The cells, little-endian. */
  readonly cells: Uint8Array<ArrayBuffer>;
  /** Address of each cell, in order. */
  readonly table: BigUint64Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;
  #count = 0;

  /** @param capacity Most arguments it can hold. */
  constructor(capacity = 64) {
    this.cells = new Uint8Array(8 * capacity);
    this.#view = new DataView(this.cells.buffer);
    const first = addressOf(this.cells);
    this.table = BigUint64Array.from({ length: capacity }, (_, i) => first + BigInt(8 * i));
  }

  /** Arguments held. */
  get length(): number {
    return this.#count;
  }

  /** Forgets all arguments. */
  clear(): this {
    this.#count = 0;
    return this;
  }

  /** Appends a pointer, or any 64-bit unsigned number. */
  address(value: bigint): this {
    this.#view.setBigUint64(this.#next(), value, true);
    return this;
  }

  /** Appends an `int64_t`. */
  int64(value: number): this {
    this.#view.setBigInt64(this.#next(), BigInt(value), true);
    return this;
  }

  /** Appends an `int32_t`. */
  int32(value: number): this {
    this.#view.setInt32(this.#next(), value, true);
    return this;
  }

  /** Appends a `float`. */
  float32(value: number): this {
    this.#view.setFloat32(this.#next(), value, true);
    return this;
  }

  /** Appends a `double`. */
  float64(value: number): this {
    this.#view.setFloat64(this.#next(), value, true);
    return this;
  }

  #next(): number {
    const offset = 8 * this.#count;
    if (offset === this.cells.length) {
      throw new RangeError(
        `Cannot add argument ${
          this.#count + 1
        }, the block holds ${this.#count}: raise its capacity`,
      );
    }
    this.#count++;
    return offset;
  }
}
