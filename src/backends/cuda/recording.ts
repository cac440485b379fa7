import type { NativeHandle } from "../../ffi/handle.ts";
import type { DeviceBlock, MemoryPool } from "./memory_pool.ts";

/** Numbers of the host that a recorded step reads anew at each replay. */
export interface LiveNumbers {
  readonly block: DeviceBlock;
  /** The host's array; whoever owns it changes it between replays. */
  readonly values: ArrayBufferView<ArrayBuffer>;
  /** What of it is on the device. */
  sent: Uint8Array<ArrayBuffer>;
}

/** What is noted while a step is recorded. */
export class Recording implements Disposable {
  /** Memory of the step's tensors; nobody else may use it, as the graph holds its addresses. */
  readonly pool: MemoryPool;
  readonly live: LiveNumbers[] = [];
  /** Tensors changed in place, once a change. */
  readonly touched: object[] = [];
  /** Blocks of other pools that must keep their addresses and values. */
  readonly #held: DeviceBlock[] = [];
  graph: NativeHandle | undefined;

  constructor(pool: MemoryPool) {
    this.pool = pool;
  }

  /** Keeps a block of another pool out of reuse. */
  hold(block: DeviceBlock): void {
    block.pool.hold(block);
    this.#held.push(block);
  }

  [Symbol.dispose](): void {
    this.graph?.[Symbol.dispose]();
    for (const block of this.#held) block.pool.unhold(block);
    this.#held.length = 0;
    this.pool[Symbol.dispose]();
  }
}

/** Whether the bytes of an array differ from what was sent; takes them over. */
export function changed(numbers: LiveNumbers): boolean {
  const { buffer, byteOffset, byteLength } = numbers.values;
  const now = new Uint8Array(buffer, byteOffset, byteLength);
  for (let i = 0; i < byteLength; i++) {
    if (now[i] === numbers.sent[i]) continue;
    numbers.sent.set(now);
    return true;
  }
  return false;
}
