import type { ExperimentConfig, HeadConfig } from "../config/experiment_config.ts";
import { buildModel, type SiamBAN } from "../models/siamban.ts";
import { setTrainable, setTraining } from "../nn/module.ts";
import { loadStateDict, stateShapes } from "../nn/state_dict.ts";
import { modelWeights } from "../training/checkpoint.ts";
import type { StateDict } from "../weights/host_tensor.ts";
import { selectTensors } from "../weights/load.ts";
import { readWeights } from "../weights/read_weights.ts";

/**
 * Builds the model that an experiment describes with the weights of a trained one, ready to track.
 *
 * @param path A checkpoint, a PyTorch file or safetensors; what the model does not have is passed by.
 * @throws {RangeError} If the file lacks weights of the model.
 * @throws {Error} If it cannot be read or does not fit.
 */
export async function openTrained(config: ExperimentConfig, path: string): Promise<SiamBAN> {
  const weights = modelWeights(await readWeights(path));
  const model = buildModel({ ...config, head: headOf(config.head, weights) });
  try {
    const { tensors, report: { missing } } = selectTensors(weights, stateShapes(model));
    loadStateDict(model, tensors, { strict: false });
    // Counts of batches take no part in tracking; old files are without them.
    const lacking = missing.filter((key) => !key.endsWith("num_batches_tracked"));
    if (lacking.length > 0) {
      throw new RangeError(
        `Cannot track with "${path}": it lacks ${lacking.length} of the model's tensors, ` +
          `the first is ${lacking[0]}, check that the experiment is the one of these weights`,
      );
    }
    setTraining(model, false);
    setTrainable(model, false);
    return model;
  } catch (error) {
    model[Symbol.dispose]();
    throw error;
  }
}

/** The head, which the weights may decide: V2 has a correlation of its own for each branch. */
function headOf(head: HeadConfig, weights: StateDict): HeadConfig {
  if (head.type !== "NanoTrackV1" || !head.kwargs.byWeights) return head;
  const isSecond = weights.keys().some((key) => /(^|\.)ban_head\.corr_pw_cls\./.test(key));
  return isSecond ? { ...head, type: "NanoTrackV2" } : head;
}
