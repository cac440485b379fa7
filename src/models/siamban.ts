import * as tf from "@tensorflow/tfjs";
import type { Scalar, Tensor3D, Tensor4D } from "@tensorflow/tfjs";
import { isNanoTrack } from "../config/feature_maps.ts";
import type { ExperimentConfig } from "../config/experiment_config.ts";
import { initUniform, Module } from "../nn/mod.ts";
import { type ClassShares, selectCrossEntropy, selectIouLoss } from "../ops/mod.ts";
import type { Rng } from "../random.ts";
import { type Backbone, buildBackbone, type Features } from "./backbone/mod.ts";
import { buildHead } from "./build_head.ts";
import type { Head, Prediction } from "./head.ts";
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
   * All that depends on a template alone, to be given to {@linkcode track}.
   *
   * @param z `[B, 127, 127, 3]`.
   * @returns The head's maps of it; the caller disposes of them.
   */
  template(z: Tensor4D): Features {
    return tf.tidy(() => [...this.head.embed(this.features(z))]);
  }

  /**
   * Looks for a template in a search image.
   *
   * @param template What {@linkcode template} returned, for as many images.
   * @param x `[B, 255, 255, 3]`.
   */
  track(template: Features, x: Tensor4D): Prediction {
    return tf.tidy(() => this.head.compare(template, this.features(x)));
  }

  /**
   * Losses of a batch; in training mode the running statistics move, by the template first.
   *
   * @param shares Given for a part of a batch: the losses of all parts then add up to those of the batch.
   */
  losses(
    { template, search, labelCls, labelLoc }: BatchTensors,
    shares?: ClassShares,
  ): SiamBANLosses {
    return tf.tidy(() => {
      const prediction = this.track(this.template(template), search);
      const cls = selectCrossEntropy(prediction.cls, labelCls, shares);
      const { clsWeight, locWeight, locLoss } = this.loss;
      const mean = selectIouLoss(prediction.loc, labelLoc, labelCls, { kind: locLoss });
      const loc = shares ? mean.mul<Scalar>(shares.positive) : mean;
      const total = cls.mul(clsWeight).add<Scalar>(loc.mul(locWeight));
      return { cls, loc, total };
    });
  }

  /** What the head sees of an image batch. */
  protected features(x: Tensor4D): Features {
    const features = this.backbone.forward(x);
    return this.neck?.forward(features) ?? features;
  }
}

/**
 * NanoTrack (github.com/HonglinChu/NanoTrack): the same losses on a network of MobileNetV3, point-wise
 * correlation and depthwise towers.
 */
export class NanoTrack extends SiamBAN {
  override keyOf(field: string): string {
    return field === "head" ? "ban_head" : super.keyOf(field);
  }

  // Parity: a neck is built, saved and given to the optimiser, but never applied.
  protected override features(x: Tensor4D): Features {
    return this.backbone.forward(x);
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
  const model = isNanoTrack(config.head) ? new NanoTrack(config) : new SiamBAN(config);
  if (rng) {
    model.backbone.initialise(rng.fork(0));
    if (model.neck) initUniform(model.neck, rng.fork(1));
    model.head.initialise(rng.fork(2));
  }
  return model;
}
