import * as tf from "@tensorflow/tfjs";
import type { NamedTensorMap, Tensor4D } from "@tensorflow/tfjs";
import {
  type InferenceRecordingBackend,
  type RecordedStep,
  RecordingRefusedError,
  toTensor,
} from "../backends/mod.ts";
import type { Image } from "../image/image.ts";
import type { Features } from "../models/backbone/mod.ts";
import type { Prediction } from "../models/head.ts";
import type { SiamBAN } from "../models/siamban.ts";
import { imageInput } from "./image_input.ts";
import type { Response } from "./select.ts";

/** What is looked for, and where. */
export interface Search {
  readonly features: Features;
  /** The network's input. */
  readonly crop: Image;
}

type Model = Pick<SiamBAN, "track">;

/** Searches for the same templates after which the work is written down: what it prepares is there then. */
const WARM_UP = 2;

/**
 * A network that searches for the same templates in frame after frame. Where the backend can, it writes
 * the work down once and has it done again as a whole, which costs less than asking op by op.
 */
export class SearchNetwork implements Disposable {
  readonly #model: Model;
  #templates: readonly Features[] = [];
  #times = 0;
  #recorded?: RecordedStep<NamedTensorMap>;
  #refused = false;

  /** @param model In evaluation mode; the caller keeps and disposes of it. */
  constructor(model: Model) {
    this.#model = model;
  }

  /** Looks for several templates, each in its own crop, in one pass through the network. */
  respond(searches: readonly Search[]): Response[] {
    const templates = searches.map(({ features }) => features);
    if (!this.#knows(templates)) this.#forget(templates);
    const prediction = this.#replay(searches) ?? this.#run(searches);
    try {
      return readResponses(prediction, searches.length);
    } finally {
      prediction.cls.dispose();
      prediction.loc.dispose();
    }
  }

  #knows(templates: readonly Features[]): boolean {
    return templates.length === this.#templates.length &&
      templates.every((features, i) => features === this.#templates[i]) &&
      (this.#recorded?.valid ?? true);
  }

  #forget(templates: readonly Features[]): void {
    this[Symbol.dispose]();
    this.#templates = templates;
    this.#times = 0;
  }

  #run(searches: readonly Search[]): Prediction {
    return tf.tidy(() => {
      const x = toTensor<Tensor4D>(imageInput(searches.map(({ crop }) => crop)));
      return this.#model.track(joinFeatures(this.#templates), x);
    });
  }

  #replay(searches: readonly Search[]): Prediction | undefined {
    const backend = tf.backend() as Partial<InferenceRecordingBackend>;
    if (this.#refused || !backend.recordInference || this.#times++ < WARM_UP) return undefined;
    const inputs = { search: imageInput(searches.map(({ crop }) => crop)) };
    try {
      this.#recorded ??= backend.recordInference(inputs, ({ search }) => {
        const { cls, loc } = this.#model.track(
          joinFeatures(this.#templates),
          search as Tensor4D,
        );
        return { cls, loc };
      });
    } catch (error) {
      if (!(error instanceof RecordingRefusedError)) throw error;
      this.#refused = true;
      return undefined;
    }
    return this.#recorded.replay(inputs) as Prediction;
  }

  /** Frees what was written down; it can still search. */
  [Symbol.dispose](): void {
    this.#recorded?.[Symbol.dispose]();
    this.#recorded = undefined;
    this.#templates = [];
  }
}

/** Features of several templates as those of a batch, level by level. */
function joinFeatures(templates: readonly Features[]): Features {
  if (templates.length === 1) return templates[0];
  return templates[0].map((_, level) => tf.concat(templates.map((features) => features[level]), 0));
}

function readResponses({ cls, loc }: Prediction, count: number): Response[] {
  const logits = cls.dataSync<"float32">(), distances = loc.dataSync<"float32">();
  const classes = cls.shape[3], points = logits.length / classes / count;
  return Array.from({ length: count }, (_, i) => ({
    scores: targetProbability(logits, { classes, first: i * points, points }),
    distances: distances.subarray(4 * i * points, 4 * (i + 1) * points),
  }));
}

/** Softmax or sigmoid: a head has two channels, background and target, or only the latter. */
function targetProbability(
  logits: Float32Array,
  { classes, first, points }: {
    readonly classes: number;
    readonly first: number;
    readonly points: number;
  },
): Float32Array {
  const scores = new Float32Array(points);
  for (let k = 0; k < points; k++) {
    const at = (first + k) * classes;
    const against = classes === 1 ? 0 : logits[at];
    scores[k] = 1 / (1 + Math.exp(against - logits[at + classes - 1]));
  }
  return scores;
}
