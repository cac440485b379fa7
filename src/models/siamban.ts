import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import type { ExperimentConfig } from "../config/schema.ts";
import { initUniform, Module } from "../nn/mod.ts";
import { selectCrossEntropy, selectIouLoss } from "../ops/mod.ts";
import type { Rng } from "../random.ts";
import { type Backbone, buildBackbone, type Features } from "./backbone/mod.ts";
import { buildHead, type Head, type Prediction } from "./head.ts";
import { buildNeck, type Neck } from "./neck.ts";

/** A batch on the device. */
export interface BatchTensors {
  /** `[B, 127, 127, 3]`, channels B, G, R, 0..255. */
  readonly template: Tensor4D;
  /** `[B, 255, 255, 3]`. */
  readonly search: Tensor4D;
  /** `[B, S, S]` int32: 1 positive, 0 negative, -1 ignored. */
  readonly labelCls: Tensor3D;
  /** `[B, S, S, 4]`: true distances left, top, right, bottom in search pixels. */
  readonly labelLoc: Tensor4D;
}

/** Losses of a batch, scalars. */
export type SiamBANLosses = {
  readonly cls: Scalar;
  readonly loc: Scalar;
  /** Weighted sum of the two. */
  readonly total: Scalar;
};

/** The sections of a configuration that make a model. */
export type ModelConfig = Pick<ExperimentConfig, "backbone" | "neck" | "head"> & {
  readonly training: Pick<ExperimentConfig["training"], "clsWeight" | "locWeight" | "locLoss">;
};

/**
 * Siamese box adaptive network (arXiv:2003.06761): one backbone for template and search image, an
 * optional neck, and a head that compares the two. It has no state but its weights.
 */
export class SiamBAN extends Module {
  readonly backbone: Backbone;
  readonly neck?: Neck;
  readonly head: Head;
  /** Weights and form of the losses. */
  readonly loss: ModelConfig["training"];

  constructor({ backbone, neck, head, training }: ModelConfig) {
    super();
    this.backbone = buildBackbone(backbone);
    this.neck = buildNeck(neck);
    this.head = buildHead(head);
    this.loss = training;
  }

  /**
   * Features of a template, to be given to {@linkcode track}.
   *
   * @param z `[B, 127, 127, 3]`.
   * @returns One map a level; the caller disposes of them.
   */
  template(z: Tensor4D): Features {
    return tf.tidy(() => this.#features(z));
  }

  /**
   * Looks for a template in a search image.
   *
   * @param zf What {@linkcode template} returned.
   * @param x `[B, 255, 255, 3]`.
   */
  track(zf: Features, x: Tensor4D): Prediction {
    return tf.tidy(() => this.head.forward(zf, this.#features(x)));
  }

  /** Losses of a batch; in training mode the running statistics move, by the template first. */
  losses({ template, search, labelCls, labelLoc }: BatchTensors): SiamBANLosses {
    return tf.tidy(() => {
      const prediction = this.track(this.template(template), search);
      const cls = selectCrossEntropy(prediction.cls, labelCls);
      const { clsWeight, locWeight, locLoss } = this.loss;
      const loc = selectIouLoss(prediction.loc, labelLoc, labelCls, { kind: locLoss });
      const total = cls.mul(clsWeight).add<Scalar>(loc.mul(locWeight));
      return { cls, loc, total };
    });
  }

  #features(x: Tensor4D): Tensor4D[] {
    const features = this.backbone.forward(x);
    return [...this.neck?.forward(features) ?? features];
  }
}

/**
 * Builds a model.
 *
 * @param rng Draws the starting weights; without it filters are 0, for a model that is loaded right after.
 *
 * @example
 * ```ts
 * import { buildModel, parseExperiment, stateDict, useBackend } from "siamban";
 * import { assertEquals } from "@std/assert";
 *
 * await using _ = await useBackend("reference");
 * using model = buildModel(parseExperiment({ backbone: { type: "resnet18" } }));
 * assertEquals(stateDict(model).get("backbone.conv1.weight")?.shape, [64, 3, 7, 7]);
 * ```
 */
export function buildModel(config: ModelConfig, rng?: Rng): SiamBAN {
  const model = new SiamBAN(config);
  if (rng) {
    model.backbone.initialise(rng.fork(0));
    if (model.neck) initUniform(model.neck, rng.fork(1));
    initUniform(model.head, rng.fork(2));
  }
  return model;
}
