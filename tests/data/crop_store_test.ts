import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { CropStore, openCropStore } from "../../src/data/crop_store.ts";
import { nameHash, packHeader, SHARD_SPAN } from "../../src/data/pack_index.ts";
import { temporaryFolder } from "./demo.ts";

/** An index and two shards by hand: crop k is the byte k. */
async function packByHand(root: string, names: readonly string[]): Promise<void> {
  const seed = 7, bytes = Uint8Array.from(names, (_, k) => k);
  await Deno.writeFile(join(root, "00000.tar"), bytes.subarray(0, 2));
  await Deno.writeFile(join(root, "00001.tar"), bytes.subarray(2));
  const crops = names.map((name, k) => ({
    key: nameHash(name, seed),
    place: k < 2 ? k : SHARD_SPAN + k - 2,
  })).sort((a, b) => a.key - b.key);
  const columns = [
    Float64Array.from(crops, ({ key }) => key),
    Float64Array.from(crops, ({ place }) => place),
    Uint32Array.from(crops, () => 1),
  ];
  const parts = [packHeader({ seed, count: names.length }), ...columns];
  const file = await new Blob(parts as BlobPart[]).arrayBuffer();
  await Deno.writeFile(join(root, "pack.index"), new Uint8Array(file));
}

Deno.test("CropStore.read() finds each packed crop in its shard", async () => {
  await using folder = await temporaryFolder();
  const names = ["a/v/000000.00.x.jpg", "a/v/000001.00.x.jpg", "b/ü/000000.00.x.jpg", "c/000000"];
  await packByHand(folder.path, names);
  using store = new CropStore(structuredClone(openCropStore(folder.path)));
  names.forEach((name, k) => assertEquals([...store.read(name)], [k]));
  assertEquals([...store.read(`./${names[2]}`)], [2]);
  assertEquals(store.locate(names[3]), {
    path: join(folder.path, "00001.tar"),
    offset: 1,
    size: 1,
  });
  assertThrows(() => store.read("a/none"), Deno.errors.NotFound, "does not list it");
  await Deno.truncate(join(folder.path, "00001.tar"), 1);
  assertThrows(() => store.read(names[3]), RangeError, "ends early");
});

Deno.test("CropStore.read() reads crops that are files", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(join(folder.path, "000000.00.x.jpg"), "crop");
  using store = new CropStore(openCropStore(folder.path));
  assertEquals(new TextDecoder().decode(store.read("000000.00.x.jpg")), "crop");
  assertThrows(() => store.read("nothing"), Deno.errors.NotFound);
});

Deno.test("openCropStore() refuses a damaged index", async () => {
  await using folder = await temporaryFolder();
  await packByHand(folder.path, ["a", "b", "c"]);
  await Deno.truncate(join(folder.path, "pack.index"), 70);
  assertThrows(() => openCropStore(folder.path), SyntaxError, "no whole index");
});
