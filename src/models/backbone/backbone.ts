import type { Tensor4D } from "@tensorflow/tfjs";
import {
  BatchNorm2d,
  initUniform,
  type Layer,
  Module,
  modules,
  namedChildren,
  namedParameters,
  sequential,
} from "../../nn/mod.ts";
import { unrecorded } from "../../ops/mod.ts";
import type { Rng } from "../../random.ts";

/** Feature maps of one image batch, one a level, `[B, H, W, C]` each. */
export type Features = readonly Tensor4D[];

/** A step of a backbone whose output may be a feature map. */
export interface Stage {
  /** Key of the stage's last part in the backbone, e.g. `layer2`. */
  readonly name: string;
  readonly layers: readonly Layer[];
}

/** From an image batch to feature maps, through a chain of stages. */
export abstract class Backbone extends Module {
  /** Names of the stages whose outputs are the features, in order. */
  abstract readonly outputs: readonly string[];

  /** The chain, from the image on. */
  abstract stages(): readonly Stage[];

  /** Draws starting weights. */
  initialise(rng: Rng): void {
    initUniform(this, rng);
  }

  /**
   * Features of an image batch.
   *
   * @param x Images, `[B, H, W, 3]`, channels B, G, R, 0..255.
   * @returns One map for each of {@linkcode outputs}, in a list also if there is one.
   */
  forward(x: Tensor4D): Features {
    const features = new Map<string, Tensor4D>();
    let passed: Tensor4D | undefined;
    for (const [name, y] of this.#run(x, this.#needed())) {
      passed?.dispose();
      passed = undefined;
      if (this.outputs.includes(name)) features.set(name, y);
      else passed = y;
    }
    passed?.dispose();
    return this.outputs.map((name) => features.get(name)!);
  }

  /** The output of every stage by its name, used or not; for comparing networks stage by stage. */
  trace(x: Tensor4D): ReadonlyMap<string, Tensor4D> {
    return new Map(this.#run(x, this.stages()));
  }

  /** A part that can be trained or frozen on its own, or undefined if there is none of that name. */
  part(name: string): Module | readonly Module[] | undefined {
    return namedChildren(this).find((named) => named.name === name)?.child;
  }

  /**
   * The chain up to its last output. Parity: the published networks run what lies behind it too, which matters
   * only while its norms are in training, for their running statistics move.
   */
  #needed(): readonly Stage[] {
    const stages = this.stages();
    const last = stages.findLastIndex(({ name, layers }) =>
      this.outputs.includes(name) ||
      [...modules(layers)].some((module) => module instanceof BatchNorm2d && module.training)
    );
    return stages.slice(0, last + 1);
  }

  *#run(
    x: Tensor4D,
    stages: readonly Stage[],
  ): Generator<[name: string, output: Tensor4D]> {
    let recorded = false;
    for (const { name, layers } of stages) {
      // Stages in front of everything trainable keep no activations: no gradient goes there.
      recorded ||= namedParameters(layers).some(({ parameter }) => parameter.trainable);
      const run = (input: Tensor4D) => sequential(input, layers);
      x = recorded ? run(x) : unrecorded(run, x);
      yield [name, x];
    }
  }
}
