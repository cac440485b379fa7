import type { Driver } from "./bindings/driver.ts";

/** Every block starts at a multiple of this, which vector loads and cuDNN's kernels want. */
const ALIGNMENT = 512;

/** A piece of device memory from a {@linkcode MemoryPool}. */
export interface DeviceBlock {
  readonly address: bigint;
  /** Bytes asked for. */
  readonly bytes: number;
  /** Bytes held. */
  readonly size: number;
  /** What it is for, in an out-of-memory message. */
  readonly purpose: string;
  readonly pool: MemoryPool;
  /** How many need it to stay as it is, even released. */
  holds: number;
  /** Whether it was given back while held. */
  released: boolean;
}

/** What a pool holds; all in bytes but the counts. */
export interface MemoryStatistics {
  /** In use now. */
  readonly used: number;
  /** Most ever in use at once. */
  readonly peakUsed: number;
  /** Taken from the driver, in use or idle; with what recorded steps hold. */
  readonly reserved: number;
  readonly peakReserved: number;
  /** Blocks in use. */
  readonly blocks: number;
  /** Calls for memory, and those of them that asked the driver. */
  readonly allocations: number;
  readonly driverAllocations: number;
}

/** What pools of one device have taken from the driver, in bytes. */
interface Ledger {
  reserved: number;
  peak: number;
}

/** The device has no memory left for what was asked. */
export class OutOfMemoryError extends Error {
  override readonly name = "OutOfMemoryError";
  /** Bytes asked for. */
  readonly asked: number;
  /** Bytes in use, by purpose, largest first. */
  readonly held: readonly { readonly purpose: string; readonly bytes: number }[];

  constructor(
    { asked, purpose, held, free, remedy }: {
      readonly asked: number;
      readonly purpose: string;
      readonly held: OutOfMemoryError["held"];
      readonly free: number;
      readonly remedy?: string;
    },
  ) {
    const total = held.reduce((sum, { bytes }) => sum + bytes, 0);
    const largest = held.slice(0, 4).map((entry) => `${entry.purpose} ${mebibytes(entry.bytes)}`);
    super(
      `Cannot allocate ${mebibytes(asked)} for ${purpose}: ${
        mebibytes(free)
      } of the card are free ` +
        `and this program holds ${mebibytes(total)} (${largest.join(", ") || "nothing"}), ` +
        (remedy ?? "use a smaller training.batchSize"),
    );
    this.asked = asked;
    this.held = held;
  }
}

/** Options of a {@linkcode MemoryPool}. */
export interface MemoryPoolOptions {
  /** A pool of the same device, whose statistics count this one's memory too. */
  readonly sharing?: MemoryPool;
  /**
   * Without it each block is as large as was asked and goes back to the driver at once, so that a tool
   * that watches memory sees use beyond its end and after its release.
   */
  readonly reuse?: boolean;
}

/**
 * Device memory that is used again: asking the driver waits for the whole device.
 *
 * Blocks come in size classes, eight between powers of two, so that at most an eighth is wasted. A block
 * may be given out again at once, because all work is queued in one stream.
 */
export class MemoryPool implements Disposable {
  readonly #driver: Driver;
  readonly #ledger: Ledger;
  readonly #reuse: boolean;
  readonly #idle = new Map<number, bigint[]>();
  readonly #used = new Set<DeviceBlock>();
  #usedBytes = 0;
  #peakUsed = 0;
  #allocations = 0;
  #driverAllocations = 0;
  /** Says what to do when memory runs out; asked only then. */
  remedy: () => string | undefined = () => undefined;

  constructor(driver: Driver, { sharing, reuse = true }: MemoryPoolOptions = {}) {
    this.#driver = driver;
    this.#ledger = sharing ? sharing.#ledger : { reserved: 0, peak: 0 };
    this.#reuse = reuse;
  }

  /**
   * Device memory, not cleared.
   *
   * @throws {OutOfMemoryError} If there is none, idle blocks given back included.
   */
  take(bytes: number, purpose = "tensors"): DeviceBlock {
    const size = this.#reuse ? roundUp(Math.max(bytes, 1)) : Math.max(bytes, 1);
    const address = this.#idle.get(size)?.pop() ?? this.#reserve(size, { bytes, purpose });
    const block = { address, bytes, size, purpose, pool: this, holds: 0, released: false };
    this.#used.add(block);
    this.#allocations++;
    this.#usedBytes += size;
    this.#peakUsed = Math.max(this.#peakUsed, this.#usedBytes);
    return block;
  }

  /**
   * Takes a block back.
   *
   * @throws {Error} If it was given back before.
   */
  release(block: DeviceBlock): void {
    if (block.holds > 0 && !block.released) {
      block.released = true;
      return;
    }
    if (!this.#used.delete(block)) {
      throw new Error(
        `Cannot free device memory 0x${block.address.toString(16)} of ${block.purpose}: ` +
          "it is not in use, free each block once",
      );
    }
    this.#usedBytes -= block.size;
    if (!this.#reuse) {
      this.#driver.free(block.address);
      this.#ledger.reserved -= block.size;
      return;
    }
    const idle = this.#idle.get(block.size);
    if (idle) idle.push(block.address);
    else this.#idle.set(block.size, [block.address]);
  }

  /** Keeps a block as it is, released or not, until {@linkcode unhold}. */
  hold(block: DeviceBlock): void {
    block.holds++;
  }

  /** Undoes {@linkcode hold}. */
  unhold(block: DeviceBlock): void {
    block.holds--;
    if (block.holds > 0 || !block.released) return;
    block.released = false;
    this.release(block);
  }

  /** What the pool holds. */
  statistics(): MemoryStatistics {
    return {
      used: this.#usedBytes,
      peakUsed: this.#peakUsed,
      reserved: this.#ledger.reserved,
      peakReserved: this.#ledger.peak,
      blocks: this.#used.size,
      allocations: this.#allocations,
      driverAllocations: this.#driverAllocations,
    };
  }

  /** Starts the peaks anew. */
  resetPeaks(): void {
    this.#peakUsed = this.#usedBytes;
    this.#ledger.peak = this.#ledger.reserved;
  }

  /** Bytes in use by purpose, largest first. */
  held(): OutOfMemoryError["held"] {
    const bytes = new Map<string, number>();
    for (const { purpose, size } of this.#used) {
      bytes.set(purpose, (bytes.get(purpose) ?? 0) + size);
    }
    return Array.from(bytes, ([purpose, bytes]) => ({ purpose, bytes }))
      .sort((a, b) => b.bytes - a.bytes);
  }

  /** Gives idle memory back to the driver. */
  trim(): void {
    for (const [size, addresses] of this.#idle) {
      for (const address of addresses) this.#driver.free(address);
      this.#ledger.reserved -= size * addresses.length;
    }
    this.#idle.clear();
  }

  #reserve(size: number, { bytes, purpose }: { bytes: number; purpose: string }): bigint {
    let address = this.#driver.allocate(size);
    if (address === undefined) {
      this.trim();
      address = this.#driver.allocate(size);
    }
    if (address === undefined) {
      const { free } = this.#driver.memoryInfo();
      const remedy = this.remedy();
      throw new OutOfMemoryError({ asked: bytes, purpose, held: this.held(), free, remedy });
    }
    this.#driverAllocations++;
    this.#ledger.reserved += size;
    this.#ledger.peak = Math.max(this.#ledger.peak, this.#ledger.reserved);
    return address;
  }

  /** Gives all memory back, that of blocks in use too. */
  [Symbol.dispose](): void {
    this.trim();
    for (const { address, size } of this.#used) {
      this.#driver.free(address);
      this.#ledger.reserved -= size;
    }
    this.#used.clear();
    this.#usedBytes = 0;
  }
}

function roundUp(bytes: number): number {
  const step = 2 ** Math.max(Math.log2(ALIGNMENT), Math.floor(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 2 ** 20 ? 3 : 1)} MiB`;
}
