/**
 * Owns one native pointer; declare it with `using`.
 *
 * @example
 * ```ts ignore
 * using stream = new NativeHandle(
 *   (out) => check("cuStreamCreate", cuda().cuStreamCreate(out, 1)),
 *   (stream) => check("cuStreamDestroy_v2", cuda().cuStreamDestroy_v2(stream)),
 * );
 * ```
 */
export class NativeHandle implements Disposable {
  #address: bigint;
  readonly #destroy: (address: bigint) => void;

  /**
   * @param create Writes the pointer into the cell it is given, and throws if it cannot.
   * @param destroy Frees the pointer, passed as an address (declare the parameter as "u64").
   * @throws {Error} If `create` leaves the cell at zero.
   */
  constructor(
    create: (out: BigUint64Array<ArrayBuffer>) => void,
    destroy: (address: bigint) => void,
  ) {
    const cell = new BigUint64Array(1);
    create(cell);
    if (cell[0] === 0n) throw new Error("Cannot create a native handle: the library returned null");
    this.#address = cell[0];
    this.#destroy = destroy;
  }

  /**
   * The pointer as a number, for parameters declared as "u64".
   *
   * @throws {ReferenceError} If the handle is disposed of.
   */
  get address(): bigint {
    if (this.#address !== 0n) return this.#address;
    throw new ReferenceError("Cannot use a native handle after it was disposed of");
  }

  /**
   * The pointer as an object, for parameters declared as "pointer".
   *
   * @throws {ReferenceError} If the handle is disposed of.
   */
  get pointer(): Deno.PointerObject {
    return Deno.UnsafePointer.create(this.address)!;
  }

  [Symbol.dispose](): void {
    if (this.#address === 0n) return;
    const address = this.#address;
    this.#address = 0n;
    this.#destroy(address);
  }
}
