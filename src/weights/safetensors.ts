/**
 * The safetensors format: an 8-byte little-endian header length, a JSON header, the tensors' bytes.
 *
 * Source: https://github.com/huggingface/safetensors#format
 */
import { writeFileAtomically, type WrittenFile } from "./atomic_file.ts";
import { type ByteSource, openByteSource } from "./byte_source.ts";
import {
  bytesOf,
  type DType,
  elementCount,
  elementsOf,
  type HostTensor,
  hostTensor,
  itemBytes,
  type StateDict,
} from "./host_tensor.ts";
import { WeightsFileError } from "./weights_file_error.ts";

/** Element types by their names in the header. */
const DTYPES: Readonly<Record<string, DType>> = {
  F32: "float32",
  F64: "float64",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U8: "uint8",
  BOOL: "bool",
};
const NAMES = Object.fromEntries(Object.entries(DTYPES).map(([name, dtype]) => [dtype, name]));

/** The limit of the reference implementation, bytes. */
const LONGEST_HEADER = 100_000_000;

/** What a safetensors file holds. */
export interface SafetensorsFile {
  /** In the order of the header. */
  readonly tensors: StateDict;
  /** Free texts (`__metadata__`). */
  readonly metadata: ReadonlyMap<string, string>;
}

interface TensorEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** From the end of the header, bytes. */
  readonly begin: number;
  readonly end: number;
}

/**
 * Reads a safetensors file, each tensor into memory of its own.
 *
 * @param from A path, or the bytes of a file.
 * @throws {WeightsFileError} If the header is malformed, or its tensors overlap, leave gaps or do
 * not fill the file.
 */
export async function readSafetensors(from: string | URL | Uint8Array): Promise<SafetensorsFile> {
  using source = await openByteSource(from);
  try {
    const { entries, metadata, dataStart } = await readHeader(source);
    checkCoverage(entries, source.size - dataStart);
    const tensors = new Map<string, HostTensor>();
    for (const { name, dtype, shape, begin, end } of entries) {
      const bytes = await source.read(dataStart + begin, end - begin);
      tensors.set(name, hostTensor(dtype, shape, elementsOf(dtype, bytes)));
    }
    return { tensors, metadata };
  } catch (cause) {
    if (cause instanceof WeightsFileError) throw cause.in(source.name);
    throw cause;
  }
}

async function readHeader(source: ByteSource) {
  if (source.size < 8) throw new WeightsFileError("it has no safetensors header");
  const length = Number(new DataView((await source.read(0, 8)).buffer).getBigUint64(0, true));
  if (length > LONGEST_HEADER || length > source.size - 8) {
    throw new WeightsFileError(
      `its header announces ${length} bytes, the file has ${source.size}, ` +
        "it is cut short or no safetensors file",
    );
  }
  const { __metadata__: texts = {}, ...tensors } = parseObject(await source.read(8, length));
  if (!isObject(texts) || Object.values(texts).some((text) => typeof text !== "string")) {
    throw new WeightsFileError("its metadata is not a list of texts");
  }
  return {
    entries: Object.entries(tensors).map(([name, entry]) => parseEntry(name, entry)),
    metadata: new Map(Object.entries(texts as Record<string, string>)),
    dataStart: 8 + length,
  };
}

function parseObject(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (isObject(value)) return value;
  } catch (cause) {
    throw new WeightsFileError("its header is not JSON, it is damaged or no safetensors file", {
      cause,
    });
  }
  throw new WeightsFileError("its header is not a JSON object");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parseEntry(name: string, entry: unknown): TensorEntry {
  const refuse = (fault: string) => {
    throw new WeightsFileError(`tensor ${JSON.stringify(name)} ${fault}`);
  };
  if (!isObject(entry)) return refuse("is not described by an object");
  const { dtype: code, shape, data_offsets: offsets } = entry;
  if (typeof code !== "string" || !Object.hasOwn(DTYPES, code)) {
    return refuse(`has type ${JSON.stringify(code)}, expected one of ${Object.keys(DTYPES)}`);
  }
  if (!areSizes(shape) || !areSizes(offsets) || offsets.length !== 2) {
    return refuse("has a shape or offsets that are not counts");
  }
  const dtype = DTYPES[code];
  const [begin, end] = offsets;
  const expected = elementCount(shape) * itemBytes(dtype);
  if (end - begin !== expected) {
    return refuse(`of shape [${shape}] has ${end - begin} bytes, expected ${expected}`);
  }
  return { name, dtype, shape, begin, end };
}

function areSizes(values: unknown): values is number[] {
  return Array.isArray(values) &&
    values.every((value) => Number.isSafeInteger(value) && value >= 0);
}

/** Tensors must follow each other without gap or overlap up to the end: nothing hides in between. */
function checkCoverage(entries: readonly TensorEntry[], dataBytes: number): void {
  let at = 0;
  // Empty tensors share their begin with the next one and must come before it.
  const inOrder = entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end);
  for (const { name, begin, end } of inOrder) {
    if (begin !== at) {
      const fault = begin < at ? "overlaps the one before it" : "leaves a gap before it";
      throw new WeightsFileError(`tensor ${JSON.stringify(name)} ${fault}`);
    }
    at = end;
  }
  if (at !== dataBytes) {
    throw new WeightsFileError(
      `its tensors take ${at} bytes, the file has ${dataBytes} for them, ` +
        "it is damaged: copy or download it again",
    );
  }
}

/**
 * Writes a safetensors file, whole or not at all.
 *
 * @param metadata Free texts to keep beside the tensors.
 * @throws {Error} As {@linkcode writeFileAtomically}.
 */
export function writeSafetensors(
  path: string,
  tensors: StateDict,
  metadata?: Readonly<Record<string, string>>,
): Promise<WrittenFile> {
  return writeFileAtomically(path, safetensorsChunks(tensors, metadata));
}

/** The bytes of a safetensors file, piece by piece; the tensors' own are not copied. */
export function* safetensorsChunks(
  tensors: StateDict,
  metadata?: Readonly<Record<string, string>>,
): Generator<Uint8Array> {
  // Wide elements first, so that each tensor is aligned for readers that map the file; the header
  // keeps the order of the state dict.
  const bySize = [...tensors].toSorted(([, a], [, b]) => itemBytes(b.dtype) - itemBytes(a.dtype));
  const offsets = new Map<string, [begin: number, end: number]>();
  let at = 0;
  for (const [name, { data }] of bySize) offsets.set(name, [at, at += data.byteLength]);

  const header = Object.fromEntries([
    ...(metadata ? [["__metadata__", metadata]] : []),
    ...[...tensors].map(([name, { dtype, shape }]) => [
      name,
      { dtype: NAMES[dtype], shape, data_offsets: offsets.get(name) },
    ]),
  ]);
  yield encodeHeader(JSON.stringify(header));
  for (const [, tensor] of bySize) yield bytesOf(tensor);
}

/** Spaces at the end align the tensors to 8 bytes. */
function encodeHeader(json: string): Uint8Array {
  const text = new TextEncoder().encode(json);
  const length = Math.ceil(text.byteLength / 8) * 8;
  const bytes = new Uint8Array(8 + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(text, 8);
  return bytes;
}
