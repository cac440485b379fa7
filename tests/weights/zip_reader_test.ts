import { assertEquals, assertRejects } from "@std/assert";
import { deflateRawSync } from "node:zlib";
import { join } from "@std/path";
import { openByteSource } from "../../src/weights/byte_source.ts";
import { readTorchFile } from "../../src/weights/torch_file.ts";
import { pickle } from "../../src/weights/pickle_writer.ts";
import { WeightsFileError } from "../../src/weights/weights_file_error.ts";
import { ZipReader } from "../../src/weights/zip_reader.ts";
import { zipChunks, type ZipContent } from "../../src/weights/zip_writer.ts";
import { asTensor, joinBytes, temporaryFolder } from "./fixtures.ts";

const text = (content: string) => new TextEncoder().encode(content);

async function open(bytes: Uint8Array): Promise<ZipReader> {
  return await ZipReader.open(await openByteSource(bytes));
}

/** An archive in which one entry is deflated: a stored one whose header fields are rewritten. */
function deflatedArchive(content: Uint8Array, announced = content.byteLength) {
  const packed = new Uint8Array(deflateRawSync(content));
  const bytes = joinBytes(zipChunks([{ name: "a", bytes: packed }]));
  const crcOf = joinBytes(zipChunks([{ name: "a", bytes: content }]));
  const view = new DataView(bytes.buffer);
  const directory = view.getUint32(bytes.byteLength - 6, true);
  view.setUint16(directory + 10, 8, true);
  view.setUint32(directory + 16, new DataView(crcOf.buffer).getUint32(14, true), true);
  view.setUint32(directory + 24, announced, true);
  return bytes;
}

Deno.test("ZipReader reads what zipChunks() writes, aligned to 64 bytes", async () => {
  const contents = [{ name: "x/a", bytes: text("alpha") }, { name: "x/é", bytes: text("") }];
  const bytes = joinBytes(zipChunks(contents));
  const archive = await open(bytes);
  assertEquals([...archive.entries.keys()], ["x/a", "x/é"]);
  for (const { name, bytes } of contents) {
    assertEquals(await archive.read(archive.entries.get(name)!), bytes);
  }
  assertEquals(bytes.findIndex((_, i) => `${bytes.subarray(i, i + 5)}` === `${text("alpha")}`), 64);
});

Deno.test("ZipReader.read() reads part of an entry", async () => {
  const archive = await open(joinBytes(zipChunks([{ name: "a", bytes: text("abcdef") }])));
  const entry = archive.entries.get("a")!;
  assertEquals(await archive.read(entry, { offset: 2, length: 3 }), text("cde"));
  await assertRejects(() => archive.read(entry, { offset: 2, length: 5 }), RangeError);
});

Deno.test("ZipReader.read() unpacks deflated entries", async () => {
  const content = text("weights ".repeat(1000));
  const archive = await open(deflatedArchive(content));
  const entry = archive.entries.get("a")!;
  assertEquals(await archive.read(entry), content);
  assertEquals(await archive.read(entry, { offset: 8, length: 7 }), text("weights"));
});

for (const [what, announced] of [["more", 100], ["less", 9000]] as const) {
  Deno.test(`ZipReader.read() refuses an entry that unpacks to ${what} than announced`, async () => {
    const archive = await open(deflatedArchive(text("weights ".repeat(1000)), announced));
    await assertRejects(
      () => archive.read(archive.entries.get("a")!),
      WeightsFileError,
      "unpacks to",
    );
  });
}

Deno.test("ZipReader.read() refuses an announcement that deflate cannot keep", async () => {
  const archive = await open(deflatedArchive(text("a"), 0x7fffffff));
  await assertRejects(() => archive.read(archive.entries.get("a")!), WeightsFileError, "announces");
});

Deno.test("ZipReader.read() refuses damaged deflated data", async () => {
  const bytes = deflatedArchive(text("weights"));
  bytes.fill(0xff, 64, 70);
  const archive = await open(bytes);
  await assertRejects(() => archive.read(archive.entries.get("a")!), WeightsFileError, "damaged");
});

for (
  const [what, at, value, message] of [
    ["an encrypted entry", 8, 1, "is encrypted"],
    ["another packing", 10, 12, "method 12"],
    ["a directory without its signature", 0, 0, "directory is damaged"],
    ["a name beyond the directory", 28, 0xffff, "directory is damaged"],
    ["a misplaced entry", 42, 3, "does not begin where"],
    ["a missing 64-bit field", 42, -1, "directory is damaged"],
  ] as const
) {
  Deno.test(`ZipReader refuses ${what}`, async () => {
    const bytes = joinBytes(zipChunks([{ name: "a", bytes: text("content") }]));
    const view = new DataView(bytes.buffer);
    const field = view.getUint32(bytes.byteLength - 6, true) + at;
    if (value === -1) view.setUint32(field, 0xffffffff, true);
    else view.setUint16(field, value, true);
    await assertRejects(
      async () => {
        const archive = await open(bytes);
        await archive.read(archive.entries.get("a")!);
      },
      WeightsFileError,
      message,
    );
  });
}

Deno.test("ZipReader refuses two entries of one name", async () => {
  const bytes = joinBytes(zipChunks([1, 2].map((n) => ({ name: "a", bytes: Uint8Array.of(n) }))));
  await assertRejects(() => open(bytes), WeightsFileError, 'two entries named "a"');
});

Deno.test("ZipReader reads an archive of more than 65535 entries", async () => {
  const contents = Array.from({ length: 65537 }, (_, i): ZipContent => ({
    name: `${i}`,
    bytes: new Uint8Array(),
  }));
  const archive = await open(joinBytes(zipChunks(contents)));
  assertEquals(archive.entries.size, 65537);
});

/** Little-endian fields of 2, 4 and 8 bytes, from [bytes, value] pairs. */
function fields(...values: [2 | 4 | 8, number][]): Uint8Array {
  return joinBytes(values.map(([bytes, value]) => {
    const field = new DataView(new ArrayBuffer(8));
    field.setBigUint64(0, BigInt(value), true);
    return new Uint8Array(field.buffer, 0, bytes);
  }));
}

Deno.test("readTorchFile() reads the end of a storage beyond 4 GiB, and only that", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "sparse.pth");
  const length = 1.1e9; // float32 elements: 4.4 GB, a hole in the file
  const root = pickleOfTail(length, 3);
  const [name, rootName] = [text("a/data/0"), text("a/data.pkl")];

  using file = await Deno.open(path, { write: true, createNew: true });
  const put = async (at: number, ...parts: Uint8Array[]) => {
    await file.seek(at, Deno.SeekMode.Start);
    await file.write(joinBytes(parts));
  };
  await put(
    0,
    fields([4, 0x04034b50], [8, 0], [8, 0], [4, 0], [2, 0], [2, name.length], [2, 0]),
    name,
  );
  const dataAt = 30 + name.length;
  await put(dataAt + 4 * (length - 3), new Uint8Array(Float32Array.of(1, 2, 3).buffer));

  const stored = joinBytes(zipChunks([{ name: "a/data.pkl", bytes: root }]));
  const rootAt = dataAt + 4 * length;
  const rootBytes = new DataView(stored.buffer).getUint32(stored.byteLength - 6, true);
  const crc = new DataView(stored.buffer).getUint32(14, true);
  await put(rootAt, stored.subarray(0, rootBytes));

  const big = 0xffffffff;
  const directory = joinBytes([
    fields([4, 0x02014b50], [8, 0], [8, 0], [4, big], [4, big], [2, name.length], [2, 20]),
    fields([2, 0], [2, 0], [2, 0], [4, 0], [4, 0]),
    name,
    fields([2, 1], [2, 16], [8, 4 * length], [8, 4 * length]),
    fields([4, 0x02014b50], [8, 0], [4, 0], [4, crc], [4, root.length], [4, root.length]),
    fields([2, rootName.length], [2, 12], [2, 0], [2, 0], [2, 0], [4, 0], [4, big]),
    rootName,
    fields([2, 1], [2, 8], [8, rootAt]),
  ]);
  const directoryAt = rootAt + rootBytes;
  await put(
    directoryAt,
    directory,
    fields([4, 0x06064b50], [8, 44], [4, 0], [8, 0], [8, 2], [8, 2]),
    fields([8, directory.length], [8, directoryAt]),
    fields([4, 0x07064b50], [4, 0], [8, directoryAt + directory.length], [4, 1]),
    fields([4, 0x06054b50], [4, 0], [2, 2], [2, 2], [4, directory.length], [4, big], [2, 0]),
  );

  const { value } = await readTorchFile(path);
  assertEquals([...asTensor(value).data], [1, 2, 3]);
});

/** The pickle of the last `count` elements of storage 0, whose writer only knows whole storages. */
function pickleOfTail(length: number, count: number): Uint8Array {
  const tensor = { dtype: "float32", shape: [count], data: new Float32Array(count) } as const;
  const whole = pickle(tensor, () => ({ key: "0", type: "FloatStorage" }));
  const code = (value: number) => [0x4a, ...fields([4, value])]; // BININT
  // "K count t Q K 0" holds the storage's length and the offset.
  const at = whole.findIndex((_, i) => `${whole.subarray(i, i + 6)}` === `75,${count},116,81,75,0`);
  const middle = [...code(length), 0x74, 0x51, ...code(length - count)];
  return joinBytes([whole.subarray(0, at), Uint8Array.from(middle), whole.subarray(at + 6)]);
}
