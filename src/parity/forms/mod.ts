/** All forms of golden files; the first that fits takes a file. */
import type { Form } from "../form.ts";
import { boxesForm, targetInCropForm } from "./boxes.ts";
import { checkpointsForm } from "./checkpoints.ts";
import { describeForm } from "./describe.ts";
import { formulaForm } from "./formula_vectors.ts";
import { genJsonForm } from "./gen_json.ts";
import { hostileForm } from "./hostile.ts";
import { imagesForm } from "./images.ts";
import { layersForm } from "./layers.ts";
import { loadCasesForm } from "./load_cases.ts";
import { logForm, sampleLinesForm } from "./log.ts";
import { longTermForm, thresholdsForm } from "./long_term.ts";
import { lossesForm } from "./losses.ts";
import { lrForm } from "./lr.ts";
import { modelsForm } from "./models.ts";
import { nanotrackForm } from "./nanotrack.ts";
import { got10kForm, opeForm } from "./one_pass.ts";
import { pointGridForm, pointTargetForm } from "./points.ts";
import { siambanTrackForm } from "./siamban_track.ts";
import { subDatasetForm } from "./sub_dataset.ts";
import { videoMeansForm } from "./video.ts";
import { votOverlapForm, votStatisticsForm } from "./vot.ts";
import { xcorrForm } from "./xcorr.ts";

/** In the order of a comparison: what others rest on comes first, what takes long last. */
export const FORMS: readonly Form[] = [
  ...[formulaForm, xcorrForm, lossesForm, layersForm],
  ...[boxesForm, targetInCropForm, pointGridForm, pointTargetForm, subDatasetForm, genJsonForm],
  ...[imagesForm, lrForm, logForm, sampleLinesForm, describeForm],
  ...[checkpointsForm, loadCasesForm, hostileForm],
  ...[votOverlapForm, votStatisticsForm, longTermForm, thresholdsForm, opeForm, got10kForm],
  ...[videoMeansForm, nanotrackForm, siambanTrackForm, modelsForm],
];
