/**
 * Packed crops: tar files (POSIX.1-2001, readable by any tar) of at most so many bytes each, one
 * after the other. What is written depends on the crops and their order alone.
 *
 * @module
 */
import { join } from "@std/path";
import { shardName } from "./crop_store.ts";
import { SHARD_SPAN } from "./pack_index.ts";

const BLOCK = 512;
/** Two empty blocks end a tar file. */
const TRAILER = 2 * BLOCK;

/** Where a writer stands: the next byte of a shard. */
export interface ShardPosition {
  readonly shard: number;
  readonly length: number;
}

/** Appends files to shards. */
export class ShardWriter implements Disposable {
  readonly #folder: string;
  readonly #limit: number;
  #shard: number;
  #length: number;
  #file: Deno.FsFile;

  private constructor(folder: string, { shard, length }: ShardPosition, limit: number) {
    [this.#folder, this.#shard, this.#length, this.#limit] = [folder, shard, length, limit];
    this.#file = Deno.openSync(this.#path(shard), { create: true, read: true, write: true });
    this.#file.truncateSync(length); // what a stopped run wrote beyond its books
    this.#file.seekSync(length, Deno.SeekMode.Start);
  }

  /**
   * Goes on at a position; undefined if the shards do not reach it.
   *
   * @param limit Bytes a shard.
   */
  static open(
    folder: string,
    position: ShardPosition,
    limit: number,
  ): ShardWriter | undefined {
    Deno.mkdirSync(folder, { recursive: true });
    for (let shard = 0; shard <= position.shard; shard++) {
      const size = Math.max(0, sizeOf(join(folder, shardName(shard))));
      if (size < (shard === position.shard ? position.length : 1)) return undefined;
    }
    for (let shard = position.shard + 1;; shard++) {
      const path = join(folder, shardName(shard));
      if (sizeOf(path) < 0) break;
      Deno.removeSync(path);
    }
    return new ShardWriter(folder, position, limit);
  }

  get position(): ShardPosition {
    return { shard: this.#shard, length: this.#length };
  }

  /**
   * Appends a file.
   *
   * @returns Its place: the shard times 2^32 plus its first byte.
   * @throws {Error} If the disk refuses.
   */
  append(name: string, bytes: Uint8Array): number {
    const header = tarHeader(name, bytes.length);
    const padded = Math.ceil(bytes.length / BLOCK) * BLOCK;
    const total = header.length + padded;
    if (this.#length > 0 && this.#length + total + TRAILER > this.#limit) this.#nextShard();
    const place = this.#shard * SHARD_SPAN + this.#length + header.length;
    this.#write(header);
    this.#write(bytes);
    this.#write(new Uint8Array(padded - bytes.length));
    return place;
  }

  #nextShard(): void {
    this.finish();
    this.#shard++;
    this.#length = 0;
    this.#file = Deno.openSync(this.#path(this.#shard), {
      create: true,
      write: true,
      truncate: true,
    });
  }

  /** Ends the last shard. */
  finish(): void {
    this.#write(new Uint8Array(TRAILER));
    this.#file.syncDataSync();
    this.#file.close();
  }

  #write(bytes: Uint8Array): void {
    try {
      for (let at = 0; at < bytes.length;) at += this.#file.writeSync(bytes.subarray(at));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      const remedy = /os error 28\b/.test(reason) ? ", free some space and start again" : "";
      throw new Error(`Cannot write "${this.#path(this.#shard)}": ${reason}${remedy}`, { cause });
    }
    this.#length += bytes.length;
  }

  #path(shard: number): string {
    return join(this.#folder, shardName(shard));
  }

  [Symbol.dispose](): void {
    try {
      this.#file.close();
    } catch (error) {
      if (!(error instanceof Deno.errors.BadResource)) throw error; // finish() has closed it
    }
  }
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return -1;
    throw error;
  }
}

/** The blocks before a file: its header, after an extended one where the name needs it. */
function tarHeader(name: string, size: number): Uint8Array {
  const encoded = new TextEncoder().encode(name);
  const isPlain = encoded.length <= 100 && encoded.length === name.length;
  if (isPlain) return headerBlock(encoded, size, "0");
  const record = paxRecord("path", encoded);
  const blocks = new Uint8Array((2 + Math.ceil(record.length / BLOCK)) * BLOCK);
  const short = new TextEncoder().encode("PaxHeader/name");
  blocks.set(headerBlock(short, record.length, "x"));
  blocks.set(record, BLOCK);
  blocks.set(headerBlock(encoded.subarray(0, 100), size, "0"), blocks.length - BLOCK);
  return blocks;
}

/** `<length> path=<name>\n`, where the length counts its own digits. */
function paxRecord(key: string, value: Uint8Array): Uint8Array {
  const rest = key.length + value.length + 3; // blank, equals sign, line end
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  const record = new Uint8Array(length);
  record.set(new TextEncoder().encode(`${length} ${key}=`));
  record.set(value, length - value.length - 1);
  record[length - 1] = 0x0a;
  return record;
}

/** A ustar header: mode 644, owner 0, time 0. */
function headerBlock(name: Uint8Array, size: number, type: "0" | "x"): Uint8Array {
  const block = new Uint8Array(BLOCK);
  const octal = (at: number, value: number, digits: number) =>
    block.set(new TextEncoder().encode(value.toString(8).padStart(digits, "0")), at);
  block.set(name);
  octal(100, 0o644, 7);
  octal(108, 0, 7);
  octal(116, 0, 7);
  octal(124, size, 11);
  octal(136, 0, 11);
  block.fill(0x20, 148, 156); // the checksum counts itself as blanks
  block[156] = type.charCodeAt(0);
  block.set(new TextEncoder().encode("ustar\x0000"), 257);
  octal(148, block.reduce((sum, byte) => sum + byte, 0), 6);
  block[154] = 0;
  return block;
}
