import type { ByteSource } from "./byte_source.ts";
import { itemBytes } from "./host_tensor.ts";
import { parsePickle } from "./pickle.ts";
import { checkStorageBytes, type TorchContainer, type TorchStorage } from "./torch_tensor.ts";
import { TorchVocabulary } from "./torch_vocabulary.ts";
import { WeightsFileError } from "./weights_file_error.ts";
import { type ZipEntry, ZipReader } from "./zip_reader.ts";

/**
 * Opens the container of PyTorch 1.6 and later: `<name>/data.pkl` beside `<name>/data/<key>`, and
 * `<name>/byteorder` in newer files.
 *
 * @throws {WeightsFileError} If it is no such archive, or a storage is absent or of another size.
 */
export async function openZipFile(
  source: ByteSource,
  { maxBytes }: { maxBytes: number },
): Promise<TorchContainer> {
  const archive = await ZipReader.open(source);
  const { folder, entry } = findPickle(archive);
  if (entry.size > maxBytes) throw new WeightsFileError(`its pickle announces ${entry.size} bytes`);
  const vocabulary = new TorchVocabulary();
  const { value } = parsePickle(await archive.read(entry), vocabulary);

  const storages = new Map<TorchStorage, ZipEntry>();
  for (const storage of vocabulary.storages.values()) {
    const stored = archive.entries.get(`${folder}/data/${storage.key}`);
    if (stored === undefined) throw new WeightsFileError(`${storage.name} is not in the archive`);
    checkStorageBytes(storage, stored.size);
    storages.set(storage, stored);
  }
  const swap = await isBigEndian(archive, folder);
  return {
    value,
    tensors: vocabulary.tensors,
    names: vocabulary.names,
    async read(storage, { start, length }) {
      const item = itemBytes(storage.dtype);
      const range = { offset: start * item, length: length * item };
      const bytes = await archive.read(storages.get(storage)!, range);
      return swap ? swapBytes(bytes, item) : bytes;
    },
  };
}

function findPickle({ entries }: ZipReader): { folder: string; entry: ZipEntry } {
  const [name, ...others] = [...entries.keys()].filter((name) => /^[^/]+\/data\.pkl$/.test(name));
  if (name === undefined) {
    throw new WeightsFileError("it is a zip archive without data.pkl, expected one by torch.save");
  }
  if (others.length > 0) throw new WeightsFileError(`it has several pickles: ${name}, ${others}`);
  const folder = name.slice(0, -"/data.pkl".length);
  if (entries.has(`${folder}/constants.pkl`)) {
    throw new WeightsFileError(
      "it is a TorchScript program, expected weights: save its state_dict() with torch.save",
    );
  }
  return { folder, entry: entries.get(name)! };
}

async function isBigEndian(archive: ZipReader, folder: string): Promise<boolean> {
  const entry = archive.entries.get(`${folder}/byteorder`);
  if (entry === undefined || entry.size > 16) return false;
  return new TextDecoder().decode(await archive.read(entry)) === "big";
}

/** Reverses the bytes of each element, in place. */
function swapBytes(bytes: Uint8Array<ArrayBuffer>, item: number): Uint8Array<ArrayBuffer> {
  for (let at = 0; at < bytes.byteLength; at += item) bytes.subarray(at, at + item).reverse();
  return bytes;
}
