import type { NativeHandle } from "../../ffi/handle.ts";
import type { Driver } from "./bindings/driver.ts";

/** Host memory that the device reads and writes on its own, while the host goes on. */
export interface PinnedBlock {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly handle: NativeHandle;
}

/** Smallest block. */
const SMALLEST = 256;

/** Pinned host memory that is used again: pinning takes longer than a copy. */
export class PinnedMemory implements Disposable {
  readonly #driver: Driver;
  readonly #idle = new Map<number, PinnedBlock[]>();
  readonly #all: PinnedBlock[] = [];

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

  [Symbol.dispose](): void {
    for (const { handle } of this.#all) handle[Symbol.dispose]();
    this.#all.length = 0;
    this.#idle.clear();
  }
}
