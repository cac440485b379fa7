/** The experiment: one schema gives its types, its defaults and its validation. */
import { z } from "zod";
import { datasetSchema, sourceSchema } from "./dataset_schema.ts";
import { flag, section, text, whole } from "./fields.ts";
import { backboneSchema, headSchema, neckSchema, pointsSchema } from "./model_schema.ts";
import { trackingSchema, trainingSchema } from "./training_schema.ts";

/**
 * Everything siamban/core/config.py holds, with its defaults, and a few settings of ours.
 *
 * What depends on other settings (channels, trainable layers, base sizes) stays open here;
 * `parseExperiment()` fills it in and checks that the parts fit.
 */
export const experimentSchema = section({
  /** Name of the experiment (META_ARC). */
  name: text().default("siamban_r50_l234"),
  /** Whether `training.device: "auto"` may take a GPU. */
  cuda: flag().default(true),
  training: trainingSchema,
  dataset: datasetSchema,
  backbone: backboneSchema,
  neck: neckSchema,
  head: headSchema,
  points: pointsSchema,
  tracking: trackingSchema,
  /** Sequences that training never sees, tracked before and after it. */
  validation: section({
    source: sourceSchema,
    /** How many of them; the first ones. */
    sequences: whole({ min: 1 }).default(8),
  }).optional(),
});

/** An experiment as a file in configs/ writes it: every key may be left out. */
export type Experiment = z.input<typeof experimentSchema>;

/** An experiment after the schema: types are right, what depends on other settings is still open. */
export type OpenExperiment = z.output<typeof experimentSchema>;
