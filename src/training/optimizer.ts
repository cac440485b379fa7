import type { Scalar, Tensor, Tensor1D } from "@tensorflow/tfjs";
import { ALONE, type Collective } from "../collective.ts";
import type { ExperimentConfig } from "../config/experiment_config.ts";
import { freezeBackbone, type ParameterGroup, parameterGroups } from "../models/freeze.ts";
import type { SiamBAN } from "../models/siamban.ts";
import { freezeNorms } from "../nn/batch_norm2d.ts";
import type { NamedParameter } from "../nn/module.ts";
import { ModuleBuffer, type Parameter } from "../nn/parameter.ts";
import { fromHostTensor, toHostTensor } from "../nn/state_dict.ts";
import type { StateDict } from "../weights/host_tensor.ts";
import { type SgdEntry, sgdUpdate } from "../ops/sgd_update.ts";

/** Parameters that share a learning rate. */
export interface RatedGroup extends ParameterGroup {
  /** The rate at which the group starts; a schedule scales it. */
  readonly initialLr: number;
}

/** Settings of {@linkcode Sgd}. */
export interface SgdOptions {
  readonly momentum: number;
  readonly weightDecay: number;
  /** Largest total gradient norm; 0 turns clipping off. */
  readonly clipNorm: number;
  /** A larger loss, or one that is not finite, changes nothing. */
  readonly maxLoss: number;
}

/**
 * Stochastic gradient descent with momentum, weight decay and clipping (`torch.optim.SGD` and
 * `clip_grad_norm_`). It owns the velocities; the parameters belong to their model.
 */
export class Sgd implements Disposable {
  readonly groups: readonly RatedGroup[];
  /** Every parameter, in the order of the groups. */
  readonly parameters: readonly NamedParameter[];
  readonly #options: SgdOptions;
  /** By parameter name. */
  readonly #velocities: ReadonlyMap<string, ModuleBuffer>;
  /** Learning rates of the parameters that the last step changed, and their groups, in its order. */
  readonly #rates: Float32Array<ArrayBuffer>;
  #rated: readonly number[] = [];

  constructor(groups: readonly RatedGroup[], options: SgdOptions) {
    this.groups = groups;
    this.parameters = groups.flatMap((group) => group.parameters);
    this.#options = options;
    this.#rates = new Float32Array(this.parameters.length);
    this.#velocities = new Map(
      this.parameters.map((
        { name, parameter },
      ) => [name, new ModuleBuffer(parameter.tensor.shape, 0)]),
    );
  }

  /** Momentum by parameter name, in order, in PyTorch's layout. */
  velocities(): StateDict {
    return new Map([...this.#velocities].map(([name, velocity]) => [name, toHostTensor(velocity)]));
  }

  /**
   * Takes over momentum that {@linkcode velocities} gave.
   *
   * @throws {RangeError} If that of a parameter is missing or has another shape.
   */
  restore(velocities: StateDict): void {
    for (const [name, velocity] of this.#velocities) {
      const saved = velocities.get(name);
      if (!saved) {
        throw new RangeError(
          `Cannot restore the momentum of "${name}": the checkpoint holds that of ${velocities.size} ` +
            "other parameters, expected the same trained layers, check backbone.trainLayers and " +
            "backbone.trainEpoch",
        );
      }
      fromHostTensor(velocity, saved, name);
    }
  }

  /**
   * Takes one step.
   *
   * @param gradients A parameter without one stays as it is.
   * @param options Rates by group, in the order of {@linkcode groups}, and the loss that was differentiated.
   * @returns `[3]`: gradient norm before clipping, clip coefficient, 1 if applied.
   */
  step(
    gradients: ReadonlyMap<Parameter, Tensor>,
    { learningRates, loss }: { readonly learningRates: readonly number[]; readonly loss: Scalar },
  ): Tensor1D {
    const rated: number[] = [];
    const entries = this.groups.flatMap(({ parameters }, group) =>
      parameters.flatMap(({ name, parameter }): SgdEntry[] => {
        const gradient = gradients.get(parameter);
        if (!gradient) return [];
        const velocity = this.#velocities.get(name)!.tensor;
        const learningRate = learningRates[group];
        rated.push(group);
        return [{ parameter: parameter.tensor, gradient, velocity, learningRate }];
      })
    );
    this.#rated = rated;
    return sgdUpdate(entries, { loss, rates: this.#rates, ...this.#options });
  }

  /** Changes the rates, by group, of a recorded step that is about to be replayed. */
  setLearningRates(learningRates: readonly number[]): void {
    this.#rated.forEach((group, i) => this.#rates[i] = learningRates[group]);
  }

  /** Frees the momentum buffers; the parameters belong to their model. */
  [Symbol.dispose](): void {
    for (const velocity of this.#velocities.values()) velocity.dispose();
  }
}

/** The sections of a configuration that make an optimiser. */
export type OptimizerConfig = Pick<ExperimentConfig, "training" | "backbone">;

/** The rate at which a group of parameters starts; a schedule scales it (tools/train.py `build_opt_lr`). */
export function initialLr(
  group: ParameterGroup["name"],
  { training, backbone }: OptimizerConfig,
): number {
  return training.baseLr * (group === "backbone" ? backbone.layersLr : 1);
}

/** What of a model trains. */
export interface TrainingStage {
  /** Whether `backbone.trainLayers` train; else the whole backbone is frozen. */
  readonly backbone: boolean;
  /** Whether batch norms of what trains take the batch's statistics; else all keep their running ones. */
  readonly norms: boolean;
}

/** What of a model trains in an epoch, counted from 0. */
export function stageIn({ training, backbone }: OptimizerConfig, epoch: number): TrainingStage {
  const { freezeNormsEpoch = Infinity } = training;
  return { backbone: epoch >= backbone.trainEpoch, norms: epoch < freezeNormsEpoch };
}

/**
 * Sets what of a model trains, and builds the optimiser for it (tools/train.py `build_opt_lr`).
 *
 * @param collective Processes that train the model together.
 */
export function buildOptimizer(
  model: SiamBAN,
  config: OptimizerConfig,
  { backbone, norms }: TrainingStage,
  collective: Collective = ALONE,
): Sgd {
  freezeBackbone(model, backbone ? config.backbone.trainLayers : []);
  if (!norms) freezeNorms(model, collective);
  const groups = parameterGroups(model)
    .map((group) => ({ ...group, initialLr: initialLr(group.name, config) }));
  const { momentum, weightDecay, gradClip, maxLoss } = config.training;
  return new Sgd(groups, { momentum, weightDecay, clipNorm: gradClip, maxLoss });
}
