import { NativeHandle } from "../../../ffi/handle.ts";
import { type Library, type LibraryOptions, openLibrary } from "../../../ffi/library.ts";
import { cString } from "../../../ffi/memory.ts";
import { type Checked, checker } from "./status.ts";

const symbols = {
  cublasCreate_v2: { parameters: ["buffer"], result: "i32" }, // cublasHandle_t *
  cublasDestroy_v2: { parameters: ["u64"], result: "i32" },
  cublasSetStream_v2: { parameters: ["u64", "u64"], result: "i32" }, // handle, cudaStream_t
  cublasSetWorkspace_v2: { parameters: ["u64", "u64", "u64"], result: "i32" }, // handle, memory, bytes
  cublasGetProperty: { parameters: ["i32", "buffer"], result: "i32" }, // libraryPropertyType, int *
  cublasGetStatusString: { parameters: ["i32"], result: "pointer" }, // cublasStatus_t -> const char *
  // handle, op A, op B, m, n, k, alpha, A, type, ld, B, type, ld, beta, C, type, ld, compute, algorithm
  cublasGemmEx: {
    parameters: [
      "u64",
      "i32",
      "i32",
      "i32",
      "i32",
      "i32",
      "buffer",
      "u64",
      "i32",
      "i32",
      "u64",
      "i32",
      "i32",
      "buffer",
      "u64",
      "i32",
      "i32",
      "i32",
      "i32",
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** Element types, with the numbers of `cudaDataType`. */
const TYPE = { float32: 0, bfloat16: 14 } as const;
/** `CUBLAS_COMPUTE_32F` and `CUBLAS_COMPUTE_32F_FAST_TF32`. */
const COMPUTE = { float32: 68, tf32: 77 } as const;
const DEFAULT_ALGORITHM = -1;

/** A product of row-major matrices: C `[m, n]` = A `[m, k]` · B `[k, n]`. */
export interface MatrixProduct {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a: bigint;
  readonly b: bigint;
  readonly c: bigint;
  readonly type: keyof typeof TYPE;
  readonly tf32?: boolean;
  /** A lies as `[k, m]`. */
  readonly transposeA?: boolean;
  /** B lies as `[n, k]`. */
  readonly transposeB?: boolean;
}

/** `libcublas`: matrix products. Every status is checked and named. */
export class Cublas {
  readonly #library: Library<typeof symbols>;
  readonly #check: Checked;

  /** Opens nothing. */
  constructor(places: LibraryOptions) {
    this.#library = openLibrary(places, symbols);
    this.#check = checker((status) => cString(this.#cublas.cublasGetStatusString(status)));
  }

  /** The opened file. */
  get location(): string {
    return this.#library.location();
  }

  get #cublas() {
    return this.#library();
  }

  /** Version, such as 13.0.2. */
  version(): string {
    const cell = new Int32Array(1);
    return [0, 1, 2].map((part) => {
      this.#check("cublasGetProperty", this.#cublas.cublasGetProperty(part, cell));
      return cell[0];
    }).join(".");
  }

  /** A `cublasHandle_t` that works in a stream. */
  createHandle(stream: bigint): NativeHandle {
    const handle = new NativeHandle(
      (out) => this.#check("cublasCreate_v2", this.#cublas.cublasCreate_v2(out)),
      (address) => this.#check("cublasDestroy_v2", this.#cublas.cublasDestroy_v2(address)),
    );
    this.#check("cublasSetStream_v2", this.#cublas.cublasSetStream_v2(handle.address, stream));
    return handle;
  }

  /** Gives a handle memory of its own, which a captured graph needs. */
  setWorkspace(handle: bigint, memory: bigint, bytes: number): void {
    const status = this.#cublas.cublasSetWorkspace_v2(handle, memory, BigInt(bytes));
    this.#check("cublasSetWorkspace_v2", status);
  }

  /** Queues a product, accumulated in float32. */
  multiply(handle: bigint, product: MatrixProduct): void {
    const { m, n, k, a, b, c, transposeA = false, transposeB = false } = product;
    const type = TYPE[product.type];
    // cuBLAS counts by columns: a row-major C = A · B is its C' = B' · A'.
    const status = this.#cublas.cublasGemmEx(
      handle,
      Number(transposeB),
      Number(transposeA),
      n,
      m,
      k,
      new Float32Array([1]),
      b,
      type,
      transposeB ? k : n,
      a,
      type,
      transposeA ? m : k,
      new Float32Array([0]),
      c,
      type,
      n,
      product.tf32 ? COMPUTE.tf32 : COMPUTE.float32,
      DEFAULT_ALGORITHM,
    );
    this.#check("cublasGemmEx", status);
  }
}
