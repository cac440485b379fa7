/** Which parts of a model train (tools/train.py `build_opt_lr`). */
import {
  freezeNorms,
  namedChildren,
  type NamedParameter,
  namedParameters,
  setTrainable,
  setTraining,
} from "../nn/mod.ts";
import type { SiamBAN } from "./siamban.ts";

/**
 * Puts a model in training mode with the backbone frozen, but for the named parts of it: frozen are the
 * parameters, and the norms keep their running statistics. Neck and head always train.
 *
 * @param trainLayers Keys of parts of the backbone, e.g. `layer2`; none before TRAIN_EPOCH.
 * @throws {RangeError} If the backbone has no such part.
 */
export function freezeBackbone(model: SiamBAN, trainLayers: readonly string[] = []): void {
  const { backbone } = model;
  const trained = trainLayers.map((name) => {
    const part = backbone.part(name);
    if (part) return part;
    const known = [...namedChildren(backbone)].map((child) => child.name).join(", ");
    throw new RangeError(
      `Cannot train backbone layer "${name}": expected one of ${known}, check backbone.trainLayers`,
    );
  });
  setTraining(model, true);
  setTrainable(model, true);
  setTrainable(backbone, false);
  freezeNorms(backbone);
  for (const part of trained) {
    setTrainable(part, true);
    setTraining(part, true);
  }
}

/** Parameters that share a learning rate. */
export interface ParameterGroup {
  readonly name: "backbone" | "neck" | "head";
  readonly parameters: readonly NamedParameter[];
}

/** The optimiser's groups in the reference's order; of the backbone only what trains. */
export function parameterGroups(model: SiamBAN): ParameterGroup[] {
  const { backbone, neck, head } = model;
  const trainable = namedParameters(backbone, "backbone.")
    .filter(({ parameter }) => parameter.trainable);
  return [
    { name: "backbone", parameters: [...trainable] },
    ...(neck ? [{ name: "neck" as const, parameters: [...namedParameters(neck, "neck.")] }] : []),
    { name: "head", parameters: [...namedParameters(head, `${model.keyOf("head")}.`)] },
  ];
}
