import type { ByteSource } from "./byte_source.ts";
import { itemBytes } from "./host_tensor.ts";
import { parsePickle } from "./pickle.ts";
import { CutPickleError, type PickleVocabulary } from "./pickle_machine.ts";
import { type PythonValue, show } from "./python_value.ts";
import { checkStorageBytes, type TorchContainer, type TorchStorage } from "./torch_tensor.ts";
import { TorchVocabulary } from "./torch_vocabulary.ts";
import { WeightsFileError } from "./weights_file_error.ts";

/** `torch.serialization.MAGIC_NUMBER`, which opens the stream. */
const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;

/** Bytes read ahead of a pickle, whose length is unknown; doubled until it is whole. */
const FIRST_WINDOW = 1 << 16;

/**
 * Opens the container of PyTorch before 1.6: pickles of the magic number, the protocol, the system,
 * the object and the storage keys; then for each key an int64 element count and the raw elements.
 *
 * @throws {WeightsFileError} If it is another kind of pickle, cut short, or a storage is absent or
 * of another size.
 */
export async function openLegacyFile(
  source: ByteSource,
  { maxBytes }: { maxBytes: number },
): Promise<TorchContainer> {
  const stream = new PickleStream(source, maxBytes);
  const header = await stream.next(() => NO_NAMES);
  if (header.value !== MAGIC) {
    throw new WeightsFileError("it is a pickle, but not one that torch.save writes");
  }
  const { value: protocol } = await stream.next(() => NO_NAMES);
  if (protocol !== PROTOCOL) {
    throw new WeightsFileError(`its protocol is ${show(protocol)}, expected ${PROTOCOL}`);
  }
  await stream.next(() => NO_NAMES); // The system that wrote it: element sizes, which never vary.
  const { value, vocabulary } = await stream.next(() => new TorchVocabulary());
  const { value: keys } = await stream.next(() => NO_NAMES);
  const { storages, tensors, names } = vocabulary;
  const offsets = await findStorages(source, { keys, storages, start: stream.position });
  return {
    value,
    tensors,
    names,
    read(storage, { start, length }) {
      const item = itemBytes(storage.dtype);
      return source.read(offsets.get(storage)! + start * item, length * item);
    },
  };
}

/** The pickles around the object hold plain values only. */
const NO_NAMES: PickleVocabulary = {
  find: refuse,
  call: refuse,
  build: refuse,
  load: refuse,
};

function refuse(): never {
  throw new WeightsFileError("its header holds more than plain values");
}

/** Pickles one after the other. */
class PickleStream {
  position = 0;
  readonly #source: ByteSource;
  readonly #longest: number;

  constructor(source: ByteSource, longest: number) {
    this.#source = source;
    this.#longest = longest;
  }

  /** Reads the next one, with a vocabulary for each attempt. */
  async next<V extends PickleVocabulary>(
    makeVocabulary: () => V,
  ): Promise<{ value: PythonValue; vocabulary: V }> {
    const left = Math.min(this.#source.size - this.position, this.#longest);
    for (let window = FIRST_WINDOW;; window *= 2) {
      const bytes = await this.#source.read(this.position, Math.min(window, left));
      const vocabulary = makeVocabulary();
      try {
        const { value, end } = parsePickle(bytes, vocabulary);
        this.position += end;
        return { value, vocabulary };
      } catch (cause) {
        if (!(cause instanceof CutPickleError) || window >= left) throw cause;
      }
    }
  }
}

async function findStorages(
  source: ByteSource,
  { keys, storages, start }: {
    keys: PythonValue;
    storages: ReadonlyMap<PythonValue, TorchStorage>;
    start: number;
  },
): Promise<Map<TorchStorage, number>> {
  if (!Array.isArray(keys)) throw new WeightsFileError("it has no list of storages");
  const offsets = new Map<TorchStorage, number>();
  let at = start;
  for (const key of keys) {
    const storage = storages.get(key);
    if (storage === undefined || offsets.has(storage)) {
      throw new WeightsFileError(
        `its list of storages has ${show(key)}, which it does not expect`,
      );
    }
    const count = new DataView((await source.read(at, 8)).buffer).getBigInt64(0, true);
    const bytes = storage.length * itemBytes(storage.dtype);
    checkStorageBytes(storage, Number(count) * itemBytes(storage.dtype));
    if (at + 8 + bytes > source.size) {
      throw new WeightsFileError(
        `it ends inside ${storage.name}, it is cut short: copy or download it again`,
      );
    }
    offsets.set(storage, at + 8);
    at += 8 + bytes;
  }
  for (const storage of storages.values()) {
    if (!offsets.has(storage)) throw new WeightsFileError(`${storage.name} is not in the file`);
  }
  return offsets;
}
