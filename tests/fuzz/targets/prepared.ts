import { join } from "@std/path";
import { CropStore, openCropStore } from "../../../src/data/crop_store.ts";
import { nameHash, PACK_INDEX, packHeader } from "../../../src/data/pack_index.ts";
import { readHashList } from "../../../src/data/hash_list.ts";
import { bytesOfText, demand, type Target } from "../target.ts";

const NAMES = ["a/cat/000001.00.x.jpg", "a/cat/000002.00.x.jpg", "b/dog/000003.01.z.jpg"];
const SHARD_BYTES = 4096;

function packOf(names: readonly string[]): Uint8Array<ArrayBuffer> {
  const keys = names.map((name) => nameHash(name, 5)).sort((a, b) => a - b);
  const bytes = new Uint8Array(32 + 20 * keys.length), view = new DataView(bytes.buffer);
  bytes.set(packHeader({ seed: 5, count: keys.length }));
  keys.forEach((key, i) => {
    view.setFloat64(32 + 8 * i, key, true);
    view.setFloat64(32 + 8 * (keys.length + i), 512 + 1024 * i, true);
    view.setUint32(32 + 16 * keys.length + 4 * i, 100 + i, true);
  });
  return bytes;
}

const pack: Target = {
  name: "pack",
  corpus: () => [packOf(NAMES), packOf(NAMES.slice(1)), packOf([])],
  run(bytes, folder) {
    Deno.writeFileSync(join(folder, PACK_INDEX), bytes);
    Deno.writeFileSync(join(folder, "00000.tar"), new Uint8Array(SHARD_BYTES).fill(7));
    using store = new CropStore(openCropStore(folder));
    const { keys, places, sizes } = store.data.pack!;
    demand(keys.length === places.length && keys.length === sizes.length, "columns of one length");
    for (const name of NAMES) {
      const place = store.locate(name);
      if (place) demand(place.path.startsWith(`${folder}/`), "a shard in its folder");
      try {
        const crop = store.read(name);
        demand(crop.length <= SHARD_BYTES && crop.every((byte) => byte === 7), "the shard's bytes");
      } catch (error) {
        // What reading a crop declares: it is not listed, its shard is not there or ends early.
        if (!(error instanceof Deno.errors.NotFound || error instanceof RangeError)) throw error;
        demand(!/array|memory/i.test(error.message), "a size that the shard can have");
      }
    }
  },
  allowedErrors: [SyntaxError],
};

const hashList: Target = {
  name: "hash-list",
  corpus: () => [
    bytesOfText(
      `${"0a".repeat(32)}  crop511/a/1.jpg\n\\${"0b".repeat(32)}  crop511/a\\\\b\\n.jpg\n`,
    ),
  ],
  async run(bytes, folder) {
    const path = join(folder, "hashes");
    await Deno.writeFile(path, bytes);
    for await (const { hash, path: name } of readHashList(path)) {
      demand(/^[0-9a-f]{64}$/.test(hash) && typeof name === "string", "a hash and a path");
    }
  },
  allowedErrors: [SyntaxError],
  dictionary: ["\\", "  ", "../", "\n"],
};

export const PREPARED_TARGETS = [pack, hashList];
