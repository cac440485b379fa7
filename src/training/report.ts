/**
 * What the trainer yields after each step; meters, logs, progress bar and TensorBoard read it.
 *
 * @module
 */

/** Loss terms of one batch; `total` is the weighted sum that is differentiated. */
export interface StepLosses {
  readonly cls: number;
  readonly loc: number;
  readonly total: number;
}

/** L2 norms of one trained parameter and of its gradient before clipping. */
export interface ParameterNorm {
  /** State-dict key, such as `head.box2.cls.conv_kernel.0.weight`. */
  readonly name: string;
  readonly weight: number;
  readonly gradient: number;
}

/** One training step. Times are in seconds; every index counts from 0. */
export interface StepReport {
  /** Epoch of the whole training, also after a resume. */
  readonly epoch: number;
  /** Step within the epoch. */
  readonly step: number;
  readonly stepsPerEpoch: number;
  /** Step of the whole training: `epoch * stepsPerEpoch + step`, also after a resume. */
  readonly globalStep: number;
  /** Base learning rate of the epoch. */
  readonly lr: number;
  /** Learning rate of each parameter group: backbone, neck (if any), head. */
  readonly groupLrs: readonly number[];
  /** Losses before the update; not finite where the step was skipped for that. */
  readonly losses: StepLosses;
  /** From the end of the previous step to the end of this one, the wait for data included. */
  readonly batchTime: number;
  /** The part of `batchTime` spent waiting for data. */
  readonly dataTime: number;
  /** Training pairs of all ranks in this step, divided by `batchTime`. */
  readonly pairsPerSecond?: number;
  /** L2 norm of all gradients before clipping. */
  readonly gradNorm?: number;
  /** Norms of each trained parameter, where the experiment asks for them. */
  readonly parameterNorms?: readonly ParameterNorm[];
  /** Seconds of each rank's own work, without its wait for the others; absent where there is one. */
  readonly rankSeconds?: readonly number[];
  /** Why this step changed no parameter, such as a non-finite loss and its batch; else absent. */
  readonly skipped?: string;
}
