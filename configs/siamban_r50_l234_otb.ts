/** The published model for OTB100: gray pairs in training, other tracking values. */
import type { Experiment } from "../src/config/schema.ts";
import base from "./siamban_r50_l234.ts";

export default {
  ...base,
  name: "siamban_r50_l234_otb",
  tracking: {
    ...base.tracking,
    windowInfluence: 0.3850733326567302,
    penaltyK: 0.020530504470126613,
    scaleLr: 0.4730770315643308,
  },
  dataset: { ...base.dataset, gray: 0.2 },
} satisfies Experiment;
