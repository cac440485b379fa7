/**
 * Where the crops of a prepared set lie: in a folder of files, or packed into tar shards with an
 * index. Who reads crops asks here and need not know which.
 *
 * @module
 */
import { join } from "@std/path";
import { nameHash, PACK_INDEX, type PackColumns, readPackIndex, SHARD_SPAN } from "./pack_index.ts";

/** What a worker needs to read the same crops; plain data, the columns in shared memory. */
export interface CropStoreData {
  /** The folder `crop511`. */
  readonly root: string;
  /** The packed form's index; absent where crops are files. */
  readonly pack?: PackColumns;
}

/** Bytes of a crop's JPEG file. */
export interface CropPlace {
  /** A file. */
  readonly path: string;
  /** First byte in it. */
  readonly offset: number;
  /** Number of bytes; absent where the crop is the whole file. */
  readonly size?: number;
}

/** Shards that one store holds open: threads times this stays below what a process may open. */
const OPEN_SHARDS = 16;

/**
 * Looks which form the crops have, and reads the index of a packed set (20 bytes a crop).
 *
 * @param root The folder `crop511`.
 * @throws {SyntaxError} If the index is damaged.
 */
export function openCropStore(root: string): CropStoreData {
  const pack = readPackIndex(join(root, PACK_INDEX));
  return pack ? { root, pack } : { root };
}

/** Reads crops by their names, such as `a/video/000007.00.x.jpg` (`cropPath()`). */
export class CropStore implements Disposable {
  readonly data: CropStoreData;
  readonly #shards = new Map<string, Deno.FsFile>();

  constructor(data: CropStoreData) {
    this.data = data;
  }

  /** Where a crop's bytes are; undefined if the index of a packed set does not list it. */
  locate(name: string): CropPlace | undefined {
    const { root, pack } = this.data;
    if (!pack) return { path: `${root}/${name}`, offset: 0 };
    // Names of YouTube-BB begin with "./", as in the published annotations.
    const i = findKey(pack.keys, nameHash(name.replace(/^\.\//, ""), pack.seed));
    if (i === undefined) return undefined;
    const shard = Math.floor(pack.places[i] / SHARD_SPAN);
    return {
      path: join(root, shardName(shard)),
      offset: pack.places[i] % SHARD_SPAN,
      size: pack.sizes[i],
    };
  }

  /**
   * The JPEG file of a crop.
   *
   * @throws {Deno.errors.NotFound} If it is not there.
   * @throws {RangeError} If a shard ends too early.
   */
  read(name: string): Uint8Array<ArrayBuffer> {
    const place = this.locate(name);
    if (!place) {
      throw new Deno.errors.NotFound(
        `Cannot read crop "${name}": "${join(this.data.root, PACK_INDEX)}" does not list it`,
      );
    }
    const { path, offset, size } = place;
    if (size === undefined) return Deno.readFileSync(path);
    const shard = this.#open(path);
    shard.seekSync(offset, Deno.SeekMode.Start);
    const bytes = new Uint8Array(size);
    for (let at = 0; at < size;) {
      const count = shard.readSync(bytes.subarray(at));
      if (count === null) throw new RangeError(`Cannot read crop "${name}": "${path}" ends early`);
      at += count;
    }
    return bytes;
  }

  #open(path: string): Deno.FsFile {
    let shard = this.#shards.get(path);
    if (!shard) {
      shard = Deno.openSync(path);
      if (this.#shards.size >= OPEN_SHARDS) {
        const [[oldest, file]] = this.#shards;
        this.#shards.delete(oldest);
        file.close();
      }
      this.#shards.set(path, shard);
    }
    return shard;
  }

  /** Closes the shards. */
  [Symbol.dispose](): void {
    for (const shard of this.#shards.values()) shard.close();
    this.#shards.clear();
  }
}

/** `7` to `00007.tar`. */
export function shardName(shard: number): string {
  return `${String(shard).padStart(5, "0")}.tar`;
}

/** Place of a key in an ascending column. */
function findKey(keys: Float64Array, key: number): number | undefined {
  let low = 0, high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle] < key) low = middle + 1;
    else high = middle;
  }
  return low < keys.length && keys[low] === key ? low : undefined;
}
