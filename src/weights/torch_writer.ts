import { writeFileAtomically, type WrittenFile } from "./atomic_file.ts";
import { bytesOf, type DType, type HostTensor, type TypedArray } from "./host_tensor.ts";
import { pickle, type StorageReference, type TorchWritable } from "./pickle_writer.ts";
import { zipChunks, type ZipContent } from "./zip_writer.ts";

const STORAGE_TYPES: Readonly<Record<DType, string>> = {
  float32: "FloatStorage",
  float64: "DoubleStorage",
  float16: "HalfStorage",
  bfloat16: "BFloat16Storage",
  int64: "LongStorage",
  int32: "IntStorage",
  int16: "ShortStorage",
  int8: "CharStorage",
  uint8: "ByteStorage",
  bool: "BoolStorage",
};

/**
 * Writes a file that `torch.load` reads, in the zip form of PyTorch 1.6 and later.
 *
 * Refers to nothing but tensors and `OrderedDict`, so that `torch.load(…, weights_only=True)` reads
 * it too. Tensors with the same array share their storage. The file appears whole or not at all.
 *
 * @param value What to save; a state dict is best given as an {@linkcode OrderedDict}.
 * @throws {TypeError} If a value has no Python counterpart.
 * @throws {Error} As {@linkcode writeFileAtomically}.
 *
 * @example A state dict under the key that trackers expect
 * ```ts ignore
 * await writeTorchFile("model.pth", { state_dict: new OrderedDict(stateDict) });
 * ```
 */
export function writeTorchFile(path: string, value: TorchWritable): Promise<WrittenFile> {
  return writeFileAtomically(path, torchFileChunks(value));
}

/** The bytes of a file as {@linkcode writeTorchFile} writes it, piece by piece. */
export function torchFileChunks(value: TorchWritable): Iterable<Uint8Array> {
  const storages = new Map<TypedArray, { tensor: HostTensor; reference: StorageReference }>();
  const storageOf = (tensor: HostTensor): StorageReference => {
    const known = storages.get(tensor.data);
    if (known) return known.reference;
    const reference = { key: `${storages.size}`, type: STORAGE_TYPES[tensor.dtype] };
    storages.set(tensor.data, { tensor, reference });
    return reference;
  };
  const root = pickle(value, storageOf);
  return zipChunks(archiveContents(root, storages.values()));
}

function* archiveContents(
  root: Uint8Array,
  storages: Iterable<{ tensor: HostTensor; reference: StorageReference }>,
): Generator<ZipContent> {
  const text = (content: string) => new TextEncoder().encode(content);
  yield { name: "archive/data.pkl", bytes: root };
  yield { name: "archive/byteorder", bytes: text("little") };
  for (const { tensor, reference } of storages) {
    yield { name: `archive/data/${reference.key}`, bytes: bytesOf(tensor) };
  }
  yield { name: "archive/version", bytes: text("3\n") };
}
