import type { NativeHandle } from "../../ffi/handle.ts";
import { addressOf } from "../../ffi/memory.ts";
import type { Driver } from "./bindings/driver.ts";

/** Host memory that the device reads and writes on its own, while the host goes on. */
export interface PinnedBlock {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly handle: NativeHandle;
}

/** Memory between threads that was made known to the device. */
interface SharedMemory {
  /** Absent where the device refused it. */
  readonly registered: Disposable | undefined;
  users: number;
}

/** Smallest block. */
const SMALLEST = 256;

/** Pinned host memory that is used again: pinning takes longer than a copy. */
export class PinnedMemory implements Disposable {
  readonly #driver: Driver;
  readonly #idle = new Map<number, PinnedBlock[]>();
  readonly #all: PinnedBlock[] = [];
  readonly #shared = new Map<SharedArrayBuffer, SharedMemory>();

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** A block of at least `bytes`. */
  take(bytes: number): PinnedBlock {
    const size = Math.max(SMALLEST, 2 ** Math.ceil(Math.log2(Math.max(bytes, 1))));
    const idle = this.#idle.get(size)?.pop();
    if (idle) return idle;
    const handle = this.#driver.allocatePinned(size);
    const memory = Deno.UnsafePointerView.getArrayBuffer(handle.pointer, size);
    const block = { bytes: new Uint8Array(memory), handle };
    this.#all.push(block);
    return block;
  }

  /** Takes a block back that neither the device nor the host uses any more. */
  release(block: PinnedBlock): void {
    const size = block.bytes.length;
    const idle = this.#idle.get(size);
    if (idle) idle.push(block);
    else this.#idle.set(size, [block]);
  }

  /**
   * Makes memory that threads share such that the device reads it on its own; it is the loader's, and
   * far larger than what one would copy for nothing. Undo it by {@linkcode letGo}.
   *
   * @returns Whether that could be done.
   */
  hold(memory: SharedArrayBuffer): boolean {
    let known = this.#shared.get(memory);
    if (!known) {
      const bytes = new Uint8Array(memory);
      const registered = this.#driver.registerHost(addressOf(bytes), bytes.length);
      this.#shared.set(memory, known = { registered, users: 0 });
    }
    known.users++;
    return known.registered !== undefined;
  }

  /** Undoes one {@linkcode hold}. */
  letGo(memory: SharedArrayBuffer): void {
    const known = this.#shared.get(memory);
    if (!known || --known.users > 0) return;
    known.registered?.[Symbol.dispose]();
    this.#shared.delete(memory);
  }

  [Symbol.dispose](): void {
    for (const { registered } of this.#shared.values()) registered?.[Symbol.dispose]();
    this.#shared.clear();
    for (const { handle } of this.#all) handle[Symbol.dispose]();
    this.#all.length = 0;
    this.#idle.clear();
  }
}
