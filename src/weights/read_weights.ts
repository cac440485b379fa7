import { findStateDict } from "./load.ts";
import type { StateDict } from "./host_tensor.ts";
import { readSafetensors } from "./safetensors.ts";
import { readTorchFile } from "./torch_file.ts";

/**
 * Reads the weights in a file: safetensors by its extension, else a PyTorch checkpoint with the
 * state dict under `state_dict` or on its own.
 *
 * @throws {WeightsFileError} If the file is damaged or of another kind.
 * @throws {TypeError} If a PyTorch file holds no state dict.
 * @throws {Deno.errors.NotFound} If there is no such file.
 */
export async function readWeights(path: string): Promise<StateDict> {
  if (path.endsWith(".safetensors")) return (await readSafetensors(path)).tensors;
  return findStateDict((await readTorchFile(path)).value);
}
