import type { NativeHandle } from "../../ffi/handle.ts";
import type { Driver } from "./bindings/driver.ts";

/** A queue of work on the device. */
export class CudaStream implements Disposable {
  readonly #driver: Driver;
  readonly #handle: NativeHandle;
  readonly #idleEvents: NativeHandle[] = [];

  constructor(driver: Driver) {
    this.#driver = driver;
    this.#handle = driver.createStream();
  }

  /** The `CUstream`. */
  get address(): bigint {
    return this.#handle.address;
  }

  /** Waits, here, for all that was queued. */
  synchronize(): void {
    this.#driver.synchronizeStream(this.address);
  }

  /** What is queued here from now on starts after what `other` has queued so far. */
  waitFor(other: CudaStream): void {
    const event = other.#mark();
    this.#driver.waitEvent(this.address, event.address);
    other.#idleEvents.push(event);
  }

  /** Waits, without holding up other work of this process, for all that was queued. */
  async passed(): Promise<void> {
    const event = this.#mark();
    try {
      for (let turn = 0; !this.#driver.queryEvent(event.address); turn++) {
        await new Promise((resolve) => setTimeout(resolve, turn < 2 ? 0 : 1));
      }
    } finally {
      this.#idleEvents.push(event);
    }
  }

  #mark(): NativeHandle {
    const event = this.#idleEvents.pop() ?? this.#driver.createEvent();
    this.#driver.recordEvent(event.address, this.address);
    return event;
  }

  [Symbol.dispose](): void {
    for (const event of this.#idleEvents) event[Symbol.dispose]();
    this.#handle[Symbol.dispose]();
  }
}
