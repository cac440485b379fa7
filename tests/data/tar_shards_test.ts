import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { CropStore, openCropStore } from "../../src/data/crop_store.ts";
import { prepare } from "../../src/data/prepare.ts";
import { readSynthetic } from "../../src/data/readers/synthetic.ts";
import { ShardWriter } from "../../src/data/tar_shards.ts";
import { contentOf, prepareAll, temporaryFolder } from "./demo.ts";

const START = { shard: 0, length: 0 };

async function untar(folder: string, ...shards: string[]): Promise<void> {
  for (const shard of shards) {
    const args = ["-xf", join(folder, shard), "-C", folder];
    const { success, stderr } = await new Deno.Command("tar", { args }).output();
    assertEquals([success, new TextDecoder().decode(stderr)], [true, ""]);
  }
}

Deno.test("ShardWriter writes files that tar reads, whatever their names", async () => {
  await using folder = await temporaryFolder();
  const names = [
    "a/b.jpg",
    `${"x".repeat(99)}/${"y".repeat(150)}.jpg`,
    "häuser/長い.jpg",
    "z".repeat(100),
  ];
  const sizes = [0, 1, 512, 1500];
  {
    using writer = ShardWriter.open(folder.path, START, 1e9)!;
    names.forEach((name, i) => writer.append(name, new Uint8Array(sizes[i]).fill(i + 1)));
    writer.finish();
  }
  await untar(folder.path, "00000.tar");
  for (const [i, name] of names.entries()) {
    const bytes = await Deno.readFile(join(folder.path, name));
    assertEquals([bytes.length, bytes.every((byte) => byte === i + 1)], [sizes[i], true]);
  }
});

Deno.test("ShardWriter begins a new shard in time, and goes on where its books are", async () => {
  await using folder = await temporaryFolder();
  const file = (i: number) => new Uint8Array(1000).fill(i);
  using writer = ShardWriter.open(folder.path, START, 5000)!;
  for (let i = 0; i < 4; i++) writer.append(`${i}`, file(i)); // 1536 each, and 1024 at the end
  assertEquals(writer.position, { shard: 1, length: 2 * 1536 });
  const whole = await contentOf(folder.path);
  writer.append("lost", file(9));
  for (let i = 0; i < 5; i++) writer.append("lost too", file(9));
  using again = ShardWriter.open(folder.path, { shard: 1, length: 1536 }, 5000)!;
  again.append("3", file(3));
  assertEquals(await contentOf(folder.path), whole);
  await Deno.truncate(join(folder.path, "00000.tar"), 0);
  assertEquals(ShardWriter.open(folder.path, { shard: 1, length: 1536 }, 5000), undefined);
});

Deno.test("prepare() packs the same crops as it writes, whenever it is stopped", async () => {
  await using files = await temporaryFolder();
  await using shards = await temporaryFolder();
  await using stopped = await temporaryFolder();
  const tracks = () => readSynthetic({ videos: 2, frames: 50 });
  const packed = { tracks, workers: 0, pack: true, shardBytes: 2 ** 20 };
  await prepareAll({ tracks, out: files.path, workers: 0 });
  await prepareAll({ ...packed, out: shards.path, workers: 2 });
  for await (const { counts } of prepare({ ...packed, out: stopped.path })) {
    if (counts.written > 60) break;
  }
  const { counts } = await prepareAll({ ...packed, out: stopped.path });
  assertEquals([counts.written + counts.existing, counts.existing > 60], [150, true]);
  assertEquals(await contentOf(stopped.path), await contentOf(shards.path));
  for (const name of ["train.json", "val.json", "train.sha256", "val.sha256"]) {
    const [one, other] = [files.path, shards.path].map((path) => join(path, name));
    assertEquals(await Deno.readTextFile(other), await Deno.readTextFile(one));
  }
  const crops = await contentOf(join(files.path, "crop511"));
  const root = join(shards.path, "crop511");
  using store = new CropStore(openCropStore(root));
  for (const name of crops.keys()) {
    assertEquals(store.read(name), await Deno.readFile(join(files.path, "crop511", name)));
  }
  // A finished set is left alone; one that lost a shard is packed again.
  const again = await prepareAll({ ...packed, out: shards.path });
  assertEquals([again.counts.written, again.counts.existing], [0, 150]);
  await Deno.remove(join(root, "00001.tar"));
  assertEquals((await prepareAll({ ...packed, out: shards.path })).counts.written, 150);
  assertEquals(await contentOf(shards.path), await contentOf(stopped.path));
});
