import type { DType } from "./host_tensor.ts";
import { latin1, NumpyDtype, numpyDtype, numpyScalar, setByteOrder } from "./numpy_scalar.ts";
import type { PickleVocabulary } from "./pickle_machine.ts";
import { kindOf, OrderedDict, PythonObject, type PythonValue, show } from "./python_value.ts";
import { checkLayout, TorchStorage, TorchTensor } from "./torch_tensor.ts";
import { WeightsFileError } from "./weights_file_error.ts";

/** Classes that name the element type of a storage. */
const STORAGES: ReadonlyMap<string, DType> = new Map([
  ["torch.FloatStorage", "float32"],
  ["torch.DoubleStorage", "float64"],
  ["torch.HalfStorage", "float16"],
  ["torch.BFloat16Storage", "bfloat16"],
  ["torch.LongStorage", "int64"],
  ["torch.IntStorage", "int32"],
  ["torch.ShortStorage", "int16"],
  ["torch.CharStorage", "int8"],
  ["torch.ByteStorage", "uint8"],
  ["torch.BoolStorage", "bool"],
]);

type Args = readonly PythonValue[];

/** Names that may be called, and what the call gives: data, always. */
const CALLS: ReadonlyMap<string, (args: Args) => PythonValue> = new Map([
  ["collections.OrderedDict", orderedDict],
  ["torch._utils._rebuild_tensor", rebuildTensor],
  ["torch._utils._rebuild_tensor_v2", rebuildTensor],
  ["torch._utils._rebuild_parameter", rebuildParameter],
  ["torch.Size", ([sizes]: Args) => tupleOf(sizes)],
  ["torch.device", device],
  ["_codecs.encode", encode],
  // numpy 2 moved the function; checkpoints carry either name.
  ["numpy.core.multiarray.scalar", numpyScalar],
  ["numpy._core.multiarray.scalar", numpyScalar],
  ["numpy.dtype", numpyDtype],
  ["builtins.set", setOf],
  ["__builtin__.set", setOf],
  ["builtins.bytearray", bytearray],
  ["__builtin__.bytearray", bytearray],
]);

/** Names that may stand as values but do nothing: `torch.float32`. */
const ELEMENT_TYPE = /^torch\.(b?float\d+|u?int\d+|bool)$/;

/** The Python names that a PyTorch checkpoint may refer to, and what they mean here. */
export class TorchVocabulary implements PickleVocabulary {
  /** Every name the pickle referred to. */
  readonly names = new Set<string>();
  /** Every tensor once; a parameter and the tensor that it wraps share their elements. */
  readonly tensors: TorchTensor[] = [];
  readonly storages = new Map<string, TorchStorage>();

  find(name: string): PythonObject {
    this.names.add(name);
    if (CALLS.has(name) || STORAGES.has(name) || ELEMENT_TYPE.test(name)) {
      return new PythonObject(name);
    }
    throw new WeightsFileError(
      `it refers to ${show(name)}, which is not on the list of what weights may refer to; ` +
        "if you trust the file, load it with PyTorch and save its state_dict() alone",
    );
  }

  call(callee: PythonValue, args: Args): PythonValue {
    const run = callee instanceof PythonObject ? CALLS.get(callee.name) : undefined;
    if (run === undefined) throw new WeightsFileError(`its pickle calls ${kindOf(callee)}`);
    const value = run(args);
    if (value instanceof TorchTensor && !value.isParameter) this.tensors.push(value);
    return value;
  }

  build(target: PythonValue & object, state: PythonValue): void {
    if (target instanceof NumpyDtype) return setByteOrder(target, state);
    if (!(target instanceof OrderedDict) || !(state instanceof Map)) {
      throw new WeightsFileError(`its pickle sets the state of ${kindOf(target)}`);
    }
    const metadata = state.get("_metadata");
    if (metadata instanceof Map) target.metadata = metadata;
  }

  /** `("storage", class, key, location, length)`; the location (a device) is of no use here. */
  load(id: PythonValue): PythonValue {
    const [kind, type, key, , length, view = null] = Array.isArray(id) ? id : [];
    if (kind !== "storage") {
      throw new WeightsFileError(`its pickle loads ${show(kind)}, expected a storage`);
    }
    const dtype = type instanceof PythonObject ? STORAGES.get(type.name) : undefined;
    if (dtype === undefined) throw new WeightsFileError(`it has a storage of ${kindOf(type)}`);
    if (typeof key !== "string" || !/^\d+$/.test(key)) {
      throw new WeightsFileError(
        `it has a storage named ${show(key)}, expected digits`,
      );
    }
    if (!Number.isSafeInteger(length) || length < 0) {
      throw new WeightsFileError(`it has a storage of ${show(length)} elements`);
    }
    if (view !== null) {
      throw new WeightsFileError(
        "it has views as PyTorch before 0.4 saved them, load and save it with a newer PyTorch",
      );
    }
    return this.#storage(new TorchStorage(key, dtype, length));
  }

  #storage(storage: TorchStorage): TorchStorage {
    const known = this.storages.get(storage.key) ?? storage;
    if (known.dtype !== storage.dtype || known.length !== storage.length) {
      throw new WeightsFileError(`it describes ${storage.name} in two ways`);
    }
    this.storages.set(storage.key, known);
    return known;
  }
}

function rebuildTensor([storage, offset, shape, strides, requiresGrad = false]: Args): TorchTensor {
  if (!(storage instanceof TorchStorage)) {
    throw new WeightsFileError(`it has a tensor over ${kindOf(storage)}, expected a storage`);
  }
  const layout = checkLayout(storage, { offset, shape, strides });
  return new TorchTensor(layout, { requiresGrad: requiresGrad === true });
}

function rebuildParameter([tensor, requiresGrad]: Args): TorchTensor {
  if (tensor instanceof TorchTensor) return tensor.asParameter(requiresGrad === true);
  throw new WeightsFileError(`it has a parameter made of ${kindOf(tensor)}, expected a tensor`);
}

/** `OrderedDict()`, or with a list of pairs, as Python 2 wrote it. */
function orderedDict([pairs = []]: Args): OrderedDict {
  const isPair = (pair: PythonValue) => Array.isArray(pair) && pair.length === 2;
  if (!Array.isArray(pairs) || !pairs.every(isPair)) {
    throw new WeightsFileError(`it has an OrderedDict made of ${kindOf(pairs)}`);
  }
  return new OrderedDict(pairs);
}

function tupleOf(values: PythonValue): PythonValue {
  if (Array.isArray(values)) return Object.freeze([...values]);
  throw new WeightsFileError(`it has a torch.Size made of ${kindOf(values)}`);
}

/** `device("cuda", 0)`, as its text. */
function device([type, index = null]: Args): PythonValue {
  if (typeof type === "string" && index === null) return type;
  if (typeof type === "string" && typeof index === "number") return `${type}:${index}`;
  throw new WeightsFileError(`it has a device made of ${kindOf(type)} and ${kindOf(index)}`);
}

function setOf([values = []]: Args): PythonValue {
  if (Array.isArray(values)) return new Set(values);
  throw new WeightsFileError(`it has a set made of ${kindOf(values)}`);
}

/** `_codecs.encode(text, "latin1")`: how protocol 2 writes bytes. */
function encode([text, encoding]: Args): PythonValue {
  if (typeof text === "string" && encoding === "latin1") return latin1(text);
  throw new WeightsFileError(`its pickle encodes ${kindOf(text)} as ${show(encoding)}`);
}

function bytearray([content = ""]: Args): PythonValue {
  if (content instanceof Uint8Array) return content;
  if (content === "") return new Uint8Array();
  throw new WeightsFileError(`it has a bytearray made of ${kindOf(content)}`);
}
