import { join } from "@std/path";
import type { CropItem, CropOutcome } from "./crop_job.ts";
import { shardName } from "./crop_store.ts";
import { nameHash, PACK_INDEX, packHeader, readPackIndex, SHARD_SPAN } from "./pack_index.ts";
import { forgetCrops } from "./prepare_books.ts";
import { COUNT_PACKED, type PackedCrop, readPacked } from "./prepare_results.ts";
import { cropPath } from "./sub_dataset.ts";
import { ShardWriter } from "./tar_shards.ts";
import { writeWhole } from "./whole_file.ts";
import type { WorkFile } from "./work_file.ts";

const NOTE = "shards";

/** Puts crops into shards; the books know how far each shard counts. */
export class CropPacker implements Disposable {
  readonly #books: WorkFile;
  readonly #root: string;
  readonly #shards: ShardWriter;

  /**
   * Goes on where the books are, or begins again if the shards do not reach so far.
   *
   * @param limit Bytes a shard.
   */
  constructor(books: WorkFile, root: string, limit: number) {
    [this.#books, this.#root] = [books, root];
    const start = { shard: 0, length: 0 };
    const position = JSON.parse(books.note(NOTE) ?? JSON.stringify(start));
    let shards = ShardWriter.open(root, position, limit);
    if (!shards) {
      forgetCrops(books);
      shards = ShardWriter.open(root, start, limit)!;
    }
    this.#shards = shards;
  }

  /** Appends what a worker has cut; the place of the search crop, or null if there is none. */
  add(item: CropItem, outcome: CropOutcome): number | null {
    if (outcome.kind !== "written" || !outcome.files) return null;
    const { x, z } = outcome.files;
    const name = { ...item, video: item.video.replace(/^\.\//, "") };
    if (z) this.#shards.append(cropPath(name, "z"), z);
    return this.#shards.append(cropPath(name), x);
  }

  /** Notes in the books how far the shards count now. */
  note(): void {
    this.#books.setNote(NOTE, JSON.stringify(this.#shards.position));
  }

  /** Ends the last shard and writes the index. */
  async finish(): Promise<void> {
    this.#shards.finish();
    await writeIndex(this.#books, join(this.#root, PACK_INDEX));
  }

  [Symbol.dispose](): void {
    this.#shards[Symbol.dispose]();
  }
}

/** Whether the shards are as long as the index of a finished run says. */
export async function isPackWhole(root: string): Promise<boolean> {
  const index = readPackIndex(join(root, PACK_INDEX));
  if (!index) return false;
  const ends = new Map<number, number>();
  index.places.forEach((place, i) => {
    const shard = Math.floor(place / SHARD_SPAN);
    ends.set(shard, Math.max(ends.get(shard) ?? 0, place % SHARD_SPAN + index.sizes[i]));
  });
  for (const [shard, end] of ends) {
    const file = await Deno.stat(join(root, shardName(shard))).catch(() => undefined);
    if (!file || file.size < end) return false;
  }
  return true;
}

/** Writes the index: 20 bytes a crop, which the reader holds in memory too. */
async function writeIndex(books: WorkFile, path: string): Promise<void> {
  const { count } = books.get(COUNT_PACKED) as { count: number };
  for (let seed = 1;; seed++) {
    const columns = toColumns(readPacked(books), { count, seed });
    if (!columns) continue; // two names have one hash: another seed parts them
    await writeWhole(path, columns);
    return;
  }
}

function toColumns(
  crops: Iterable<PackedCrop>,
  { count, seed }: { count: number; seed: number },
): Uint8Array | undefined {
  const [keys, places, sizes] = [
    new Float64Array(count),
    new Float64Array(count),
    new Uint32Array(count),
  ];
  let i = 0;
  for (const { name, place, size } of crops) {
    keys[i] = nameHash(name, seed);
    places[i] = place;
    sizes[i++] = size;
  }
  const order = Uint32Array.from(keys, (_, i) => i).sort((a, b) => keys[a] - keys[b]);
  for (let i = 1; i < count; i++) if (keys[order[i]] === keys[order[i - 1]]) return undefined;
  const header = packHeader({ seed, count });
  const bytes = new Uint8Array(header.length + 20 * count);
  bytes.set(header);
  const view = new DataView(bytes.buffer, header.length);
  order.forEach((from, to) => {
    view.setFloat64(8 * to, keys[from], true);
    view.setFloat64(8 * (count + to), places[from], true);
    view.setUint32(16 * count + 4 * to, sizes[from], true);
  });
  return bytes;
}
