/** Every parser of files and messages that others wrote. */
import type { Target } from "../target.ts";
import { ANNOTATION_TARGETS } from "./annotations.ts";
import { PICTURE_TARGETS } from "./pictures.ts";
import { PREPARED_TARGETS } from "./prepared.ts";
import { READER_TARGETS } from "./readers.ts";
import { RESULT_TARGETS } from "./results.ts";
import { TRAX_TARGETS } from "./trax.ts";
import { WEIGHTS_TARGETS } from "./weights.ts";
import { YAML_TARGETS } from "./yaml.ts";

export const TARGETS: readonly Target[] = [
  ...WEIGHTS_TARGETS,
  ...PICTURE_TARGETS,
  ...ANNOTATION_TARGETS,
  ...PREPARED_TARGETS,
  ...READER_TARGETS,
  ...RESULT_TARGETS,
  ...YAML_TARGETS,
  ...TRAX_TARGETS,
];
