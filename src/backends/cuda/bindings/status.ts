import { NativeError } from "../../../ffi/library.ts";

/** A CUDA library refused a call. */
export class CudaError extends NativeError {
  override readonly name = "CudaError";
}

/** Turns a status that is not 0 into a {@linkcode CudaError} with the library's own words. */
export type Checked = (call: string, status: number) => void;

/**
 * Makes the check of one library.
 *
 * @param words What the library calls a status.
 * @param about What the call was about, asked only when it failed.
 */
export function checker(words: (status: number) => string, about?: () => string): Checked {
  return (call, status) => {
    if (status === 0) return;
    const detail = about?.();
    throw new CudaError(call, status, words(status) + (detail ? `, ${detail}` : ""));
  };
}
