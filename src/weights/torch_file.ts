import { type ByteSource, openByteSource } from "./byte_source.ts";
import type { PythonValue } from "./python_value.ts";
import { openLegacyFile } from "./torch_legacy.ts";
import { materialise, readingCost, spanOf, type TorchContainer } from "./torch_tensor.ts";
import { openZipFile } from "./torch_zip.ts";
import { WeightsFileError } from "./weights_file_error.ts";

/** A file written by `torch.save`. */
export interface TorchFile {
  /** A zip archive, as since PyTorch 1.6, or a stream of pickles followed by raw storages. */
  readonly format: "zip" | "legacy";
  /** What was saved; its tensors are {@linkcode TorchTensor}s. */
  readonly value: PythonValue;
  /** The Python names that the file refers to, sorted. */
  readonly names: readonly string[];
}

/** How {@linkcode readTorchFile} guards itself. */
export interface ReadTorchOptions {
  /**
   * Bytes that tensors may take together. By default four times the file's size and at least 32 MiB:
   * more is needed only where a few saved numbers were expanded into large tensors.
   */
  readonly maxBytes?: number;
}

/**
 * Reads a PyTorch checkpoint (`.pth`, `.pt`) without executing anything in it.
 *
 * Only tensors and plain values can come out: the file may refer to a short list of names, which
 * stand for data. Numbers in the file are checked against its true size before memory is taken.
 * Tensors saved on a GPU or as views come out in host memory, contiguous.
 *
 * @param from A path, or the bytes of a file.
 * @throws {WeightsFileError} If the file is damaged, of another kind, or refers to anything else.
 * @throws {Deno.errors.NotFound} If there is no such file.
 *
 * @example The keys of a state dict
 * ```ts ignore
 * const { value } = await readTorchFile("snapshot/checkpoint_e20.pth");
 * if (value instanceof Map) console.log([...value.keys()]);
 * ```
 */
export async function readTorchFile(
  from: string | URL | Uint8Array,
  { maxBytes }: ReadTorchOptions = {},
): Promise<TorchFile> {
  using source = await openByteSource(from);
  try {
    return await readFrom(source, maxBytes ?? Math.max(1 << 25, 4 * source.size));
  } catch (cause) {
    if (cause instanceof WeightsFileError) throw cause.in(source.name);
    throw cause;
  }
}

async function readFrom(source: ByteSource, maxBytes: number): Promise<TorchFile> {
  const format = await formatOf(source);
  const open = format === "zip" ? openZipFile : openLegacyFile;
  const container = await open(source, { maxBytes });
  await readTensors(container, maxBytes);
  return { format, value: container.value, names: [...container.names].sort() };
}

/** Fills every tensor; the whole cost is known, and refused, before the first is read. */
async function readTensors(
  container: TorchContainer,
  maxBytes: number,
): Promise<void> {
  const { tensors } = container;
  const cost = tensors.reduce((sum, { layout }) => sum + readingCost(layout), 0);
  if (cost > maxBytes) {
    throw new WeightsFileError(
      `its tensors need ${cost} bytes of memory, at most ${maxBytes} are allowed for its size, ` +
        "save them with .clone() or raise maxBytes if you trust it",
    );
  }
  for (const tensor of tensors) {
    const { layout } = tensor;
    tensor.fill(materialise(layout, await container.read(layout.storage, spanOf(layout))));
  }
}

async function formatOf(source: ByteSource): Promise<TorchFile["format"]> {
  const head = await source.read(0, Math.min(source.size, 512));
  if (head[0] === 0x80) return "legacy"; // PROTO, the first opcode of a pickle
  const text = new TextDecoder("latin1").decode(head);
  if (text.startsWith("PK\x03\x04")) return "zip";
  const [, what] = LOOKALIKES.find(([form]) => form.test(text)) ?? [];
  throw new WeightsFileError(what ?? "it is not a file that torch.save writes");
}

/** Files that are often taken for weights, and what to do about them. */
const LOOKALIKES: readonly (readonly [RegExp, string])[] = [
  [/^$/, "it is empty, copy or download it again"],
  [/^\s*<(!doctype|html)/i, "it is a web page, download the file that the page is about"],
  [
    /^version https:\/\/git-lfs/,
    "it is a Git LFS pointer, fetch the file itself with git lfs pull",
  ],
  [/^.{257}ustar/s, "it was written by PyTorch before 0.1.10, load and save it with a newer one"],
  [/^.{8}\{"/s, "it looks like a safetensors file, give it the extension .safetensors"],
];
