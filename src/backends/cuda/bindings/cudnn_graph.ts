import { NativeHandle } from "../../../ffi/handle.ts";
import { type Library, type LibraryOptions, openLibrary } from "../../../ffi/library.ts";
import { cudnnChecker } from "./cudnn.ts";
import { CUDNN_SYMBOLS as symbols } from "./cudnn_symbols.ts";
import type { Checked } from "./status.ts";

const words = (values: readonly Value[]) => BigUint64Array.from(values, BigInt);
const enumerators = (values: readonly Value[]) => Int32Array.from(values, Number);

/** Kinds of values, with the numbers of `cudnnBackendAttributeType_t` and how they lie in memory. */
const VALUES = {
  handle: { type: 0, encode: words },
  dataType: { type: 1, encode: enumerators },
  boolean: { type: 2, encode: (values: readonly Value[]) => Uint8Array.from(values, Number) },
  int64: { type: 3, encode: (values: readonly Value[]) => BigInt64Array.from(values, BigInt) },
  float: { type: 4, encode: (values: readonly Value[]) => Float32Array.from(values, Number) },
  pointer: { type: 6, encode: words },
  convolutionMode: { type: 7, encode: enumerators },
  heuristicMode: { type: 8, encode: enumerators },
  numericalNote: { type: 11, encode: enumerators },
  pointwiseMode: { type: 14, encode: enumerators },
  descriptor: { type: 15, encode: words },
  behaviorNote: { type: 19, encode: enumerators },
} as const;

/** Of all descriptors those in use, with the numbers of `cudnnBackendDescriptorType_t` and `…AttributeName_t`. */
const DESCRIPTORS = {
  pointwise: { code: 0, attributes: { mode: [0, "pointwiseMode"], precision: [1, "dataType"] } },
  convolution: {
    code: 1,
    attributes: {
      computeType: [100, "dataType"],
      mode: [101, "convolutionMode"],
      dilations: [102, "int64"],
      strides: [103, "int64"],
      paddingsAfter: [104, "int64"],
      paddingsBefore: [105, "int64"],
      spatialAxes: [106, "int64"],
    },
  },
  engine: {
    code: 2,
    attributes: { numericalNotes: [1303, "numericalNote"], behaviorNotes: [1305, "behaviorNote"] },
  },
  engineConfig: { code: 3, attributes: { engine: [300, "descriptor"] } },
  heuristics: {
    code: 4,
    attributes: {
      mode: [200, "heuristicMode"],
      graph: [201, "descriptor"],
      results: [202, "descriptor"],
    },
  },
  plan: {
    code: 5,
    attributes: {
      handle: [400, "handle"],
      config: [401, "descriptor"],
      workspaceBytes: [402, "int64"],
    },
  },
  convolutionForward: {
    code: 10,
    attributes: {
      alpha: [700, "float"],
      beta: [701, "float"],
      convolution: [702, "descriptor"],
      weight: [703, "descriptor"],
      x: [704, "descriptor"],
      y: [705, "descriptor"],
    },
  },
  pointwiseOperation: {
    code: 13,
    attributes: {
      pointwise: [750, "descriptor"],
      x: [751, "descriptor"],
      b: [752, "descriptor"],
      y: [753, "descriptor"],
    },
  },
  graph: { code: 15, attributes: { handle: [800, "handle"], operations: [801, "descriptor"] } },
  variantPack: {
    code: 16,
    attributes: {
      ids: [1000, "int64"],
      addresses: [1001, "pointer"],
      workspace: [1003, "pointer"],
    },
  },
  tensor: {
    code: 17,
    attributes: {
      alignment: [900, "int64"],
      type: [901, "dataType"],
      sizes: [902, "int64"],
      strides: [903, "int64"],
      id: [906, "int64"],
      virtual: [907, "boolean"],
    },
  },
} as const satisfies Record<
  string,
  {
    readonly code: number;
    readonly attributes: Record<string, readonly [number, keyof typeof VALUES]>;
  }
>;

/** What a descriptor is of. */
export type DescriptorKind = keyof typeof DESCRIPTORS;
type Attribute<K extends DescriptorKind> = keyof typeof DESCRIPTORS[K]["attributes"] & string;
type Value = number | bigint | boolean;

/** A descriptor's attributes; descriptors, handles and memory are addresses. */
export type Attributes<K extends DescriptorKind> = {
  readonly [A in Attribute<K>]?: Value | readonly Value[];
};

/** cuDNN's graph API: what to compute is described piece by piece, and engines are found that do it at once. */
export class CudnnGraphs {
  readonly #library: Library<typeof symbols>;
  readonly #check: Checked;

  /** Opens nothing. */
  constructor(places: LibraryOptions) {
    this.#library = openLibrary(places, symbols);
    this.#check = cudnnChecker(this.#library);
  }

  /**
   * A descriptor with attributes, finalized.
   *
   * @throws {CudaError} If cuDNN refuses it; the message names descriptor and attribute.
   */
  make<K extends DescriptorKind>(kind: K, attributes: Attributes<K>): NativeHandle {
    const descriptor = this.#create(kind);
    try {
      for (const [name, value] of Object.entries(attributes)) {
        this.#set(kind, descriptor.address, { name: name as Attribute<K>, value });
      }
      const status = this.#library().cudnnBackendFinalize(descriptor.address);
      this.#check(`cudnnBackendFinalize(${kind})`, status);
      return descriptor;
    } catch (error) {
      descriptor[Symbol.dispose]();
      throw error;
    }
  }

  /** Numbers of a finalized descriptor; `most` is more than there are. */
  numbers<K extends DescriptorKind>(
    descriptor: bigint,
    { kind, name, most = 16 }: { kind: K; name: Attribute<K>; most?: number },
  ): number[] {
    const [, element] = attributeOf(kind, name);
    const values = VALUES[element].encode(new Array<number>(most).fill(0));
    const count = this.#get(descriptor, { kind, name, values });
    return Array.from(values.subarray(0, count), Number);
  }

  /**
   * Descriptors that a finalized descriptor holds, best first.
   *
   * @param query.most How many at most; without it cuDNN is asked first how many there are, which it tells of
   * lists only.
   */
  parts<K extends DescriptorKind>(
    descriptor: bigint,
    { kind, name, of, most = this.#get(descriptor, { kind, name, values: new BigUint64Array(0) }) }:
      {
        readonly kind: K;
        readonly name: Attribute<K>;
        readonly of: DescriptorKind;
        readonly most?: number;
      },
  ): NativeHandle[] {
    const parts = Array.from({ length: most }, () => this.#create(of));
    const values = BigUint64Array.from(parts, ({ address }) => address);
    // What was counted at first may not all be given.
    const count = most && this.#get(descriptor, { kind, name, values });
    for (const unused of parts.splice(count)) unused[Symbol.dispose]();
    return parts;
  }

  /** Queues a plan on the memory of a variant pack. */
  execute(handle: bigint, plan: bigint, pack: bigint): void {
    const status = this.#library().cudnnBackendExecute(handle, plan, pack);
    this.#check("cudnnBackendExecute", status);
  }

  #create(kind: DescriptorKind): NativeHandle {
    const { code } = DESCRIPTORS[kind];
    const {
      cudnnBackendCreateDescriptor: create,
      cudnnBackendDestroyDescriptor: destroy,
    } = this.#library();
    return new NativeHandle(
      (out) => this.#check(`cudnnBackendCreateDescriptor(${kind})`, create(code, out)),
      (address) => this.#check(`cudnnBackendDestroyDescriptor(${kind})`, destroy(address)),
    );
  }

  #set<K extends DescriptorKind>(
    kind: K,
    descriptor: bigint,
    { name, value }: { readonly name: Attribute<K>; readonly value: unknown },
  ): void {
    const [number, element] = attributeOf(kind, name);
    const list = (Array.isArray(value) ? value : [value]) as readonly Value[];
    const values = VALUES[element].encode(list);
    const status = this.#library().cudnnBackendSetAttribute(
      descriptor,
      number,
      VALUES[element].type,
      BigInt(values.length),
      values,
    );
    this.#check(`cudnnBackendSetAttribute(${kind}, ${name})`, status);
  }

  #get<K extends DescriptorKind>(
    descriptor: bigint,
    { kind, name, values }: {
      kind: K;
      name: Attribute<K>;
      values: ReturnType<typeof VALUES[keyof typeof VALUES]["encode"]>;
    },
  ): number {
    const [number, element] = attributeOf(kind, name);
    const count = new BigInt64Array(1);
    const status = this.#library().cudnnBackendGetAttribute(
      descriptor,
      number,
      VALUES[element].type,
      BigInt(values.length),
      count,
      values.length > 0 ? values : null,
    );
    this.#check(`cudnnBackendGetAttribute(${kind}, ${name})`, status);
    return values.length > 0 ? Math.min(Number(count[0]), values.length) : Number(count[0]);
  }
}

function attributeOf<K extends DescriptorKind>(
  kind: K,
  name: Attribute<K>,
): readonly [number, keyof typeof VALUES] {
  const { attributes }: {
    readonly attributes: Readonly<Record<string, readonly [number, keyof typeof VALUES]>>;
  } = DESCRIPTORS[kind];
  return attributes[name];
}
