import type { ExperimentConfig } from "../config/schema.ts";
import { buildModel, type SiamBAN } from "../models/siamban.ts";
import { setTraining } from "../nn/module.ts";
import { loadWeights } from "./weights.ts";

/**
 * Builds the model that an experiment describes with the weights of a trained one, ready to track.
 *
 * @param path A checkpoint, a PyTorch file or safetensors; what the model does not have is passed by.
 * @throws {RangeError} If the file lacks weights of the model.
 * @throws {Error} If it cannot be read or does not fit.
 */
export async function openTrained(config: ExperimentConfig, path: string): Promise<SiamBAN> {
  const model = buildModel(config);
  try {
    const { missing } = await loadWeights(model, path);
    // Counts of batches take no part in tracking; old files are without them.
    const lacking = missing.filter((key) => !key.endsWith("num_batches_tracked"));
    if (lacking.length > 0) {
      throw new RangeError(
        `Cannot track with "${path}": it lacks ${lacking.length} of the model's tensors, ` +
          `the first is ${lacking[0]}, check that the experiment is the one of these weights`,
      );
    }
    setTraining(model, false);
    return model;
  } catch (error) {
    model[Symbol.dispose]();
    throw error;
  }
}
