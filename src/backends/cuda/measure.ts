import type { CudaBackend } from "./backend.ts";
import { Cublas } from "./bindings/cublas.ts";
import { FORMAT_BYTES } from "./storage.ts";
import { timeOnDevice } from "./timing.ts";

/** What a card can do, measured: the floors under all other times. */
export interface DeviceFloors {
  /** Bytes read and written a second by a copy within the card. */
  readonly copyBytesPerSecond: number;
  /** Bytes a second from pinned host memory. */
  readonly uploadBytesPerSecond: number;
  /** Floating-point operations a second of a large matrix product; absent without cuBLAS. */
  readonly matmul?: { readonly float32: number; readonly tf32: number; readonly bf16: number };
  /** Why there is no `matmul`. */
  readonly matmulMissing?: string;
}

/**
 * Measures a card's floors.
 *
 * @param options.bytes Of each copy. `size`: rows and columns of the matrices.
 */
export function measureFloors(
  cuda: CudaBackend,
  { bytes = 1 << 30, size = 8192 }: { readonly bytes?: number; readonly size?: number } = {},
): DeviceFloors {
  const from = cuda.scratch(bytes), to = cuda.scratch(bytes);
  const pinned = cuda.pinned.take(Math.min(bytes, 1 << 28));
  try {
    const { driver, stream } = cuda;
    const copy = () => driver.copy(to.address, from.address, { bytes, stream: stream.address });
    const upload = () => driver.copyToDevice(to.address, pinned.bytes, stream.address);
    return {
      copyBytesPerSecond: 2 * bytes / (timeOnDevice(cuda, copy) / 1000),
      uploadBytesPerSecond: pinned.bytes.length / (timeOnDevice(cuda, upload) / 1000),
      ...matmulFloors(cuda, size),
    };
  } finally {
    cuda.release(from);
    cuda.release(to);
    cuda.pinned.release(pinned);
  }
}

function matmulFloors(
  cuda: CudaBackend,
  size: number,
): Pick<DeviceFloors, "matmul" | "matmulMissing"> {
  try {
    const cublas = new Cublas(cuda.libraries.cublas);
    using handle = cublas.createHandle(cuda.stream.address);
    const memory = [0, 1, 2].map(() => cuda.scratch(size * size * FORMAT_BYTES.float32));
    for (const { address, size: bytes } of memory) {
      cuda.driver.fillBytes(address, 0, { count: bytes, stream: cuda.stream.address });
    }
    const [a, b, c] = memory.map(({ address }) => address);
    const rate = (type: "float32" | "bfloat16", tf32 = false) => {
      const product = { m: size, n: size, k: size, a, b, c, type, tf32 };
      const ms = timeOnDevice(cuda, () => cublas.multiply(handle.address, product));
      return 2 * size ** 3 / (ms / 1000);
    };
    const matmul = {
      float32: rate("float32"),
      tf32: rate("float32", true),
      bf16: rate("bfloat16"),
    };
    for (const block of memory) cuda.release(block);
    return { matmul };
  } catch (error) {
    return { matmulMissing: (error as Error).message };
  }
}
