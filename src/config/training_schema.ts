/** Optimisation, sampling of labels, logs and learning rates (siamban/core/config.py, lr_scheduler.py). */
import { z } from "zod";
import {
  choice,
  flag,
  list,
  oneOfTypes,
  probability,
  real,
  section,
  text,
  whole,
} from "./fields.ts";

const rate = (value: number) => real({ above: 0 }).default(value);
const finalRate = () => real({ above: 0 }).nullable().default(null);
const startRate = () => real({ above: 0 }).nullable().default(0.01);

/** Arguments of each learning-rate space, with the defaults of siamban/utils/lr_scheduler.py. */
const scheduleKwargs = {
  log: section({ startLr: rate(0.03), endLr: rate(5e-4) }).prefault({}),
  step: section({
    /** Null derives it from `endLr` and `mult`. */
    startLr: startRate(),
    /** When given together with `startLr`, `mult` is derived from both. */
    endLr: finalRate(),
    /** Epochs between two changes. */
    step: whole({ min: 1 }).default(10),
    mult: rate(0.1),
  }).prefault({}),
  "multi-step": section({
    startLr: startRate(),
    endLr: finalRate(),
    /** Epochs at whose start the rate changes. */
    steps: list(whole({ min: 1 }), "epochs").default([10, 20, 30, 40]),
    mult: rate(0.5),
  }).prefault({}),
  linear: section({ startLr: rate(0.01), endLr: rate(0.005) }).prefault({}),
  cos: section({ startLr: rate(0.01), endLr: rate(0.005) }).prefault({}),
};

const logSchedule = { kwargs: scheduleKwargs.log };
const stepSchedule = { kwargs: scheduleKwargs.step };
const multiStepSchedule = { type: z.literal("multi-step"), kwargs: scheduleKwargs["multi-step"] };
const linearSchedule = { type: z.literal("linear"), kwargs: scheduleKwargs.linear };
const cosSchedule = { type: z.literal("cos"), kwargs: scheduleKwargs.cos };

const lrSchema = oneOfTypes([
  section({ type: z.literal("log").optional().default("log"), ...logSchedule }),
  section({ type: z.literal("step"), ...stepSchedule }),
  section(multiStepSchedule),
  section(linearSchedule),
  section(cosSchedule),
]).prefault({});

const warmupCommon = {
  /** Whether the first epochs warm up. */
  warmup: flag().default(true),
  /** Number of warm-up epochs, part of `training.epochs`. */
  epoch: whole({ min: 1 }).default(5),
};

const lrWarmupSchema = oneOfTypes([
  section({ type: z.literal("log"), ...logSchedule, ...warmupCommon }),
  section({ type: z.literal("step").optional().default("step"), ...stepSchedule, ...warmupCommon }),
  section({ ...multiStepSchedule, ...warmupCommon }),
  section({ ...linearSchedule, ...warmupCommon }),
  section({ ...cosSchedule, ...warmupCommon }),
]).prefault({});

/** What a training run does. */
export const trainingSchema = section({
  /** Negative points of a negative pair, at most. */
  negNum: whole({ min: 0 }).default(16),
  /** Positive points of a positive pair, at most. */
  posNum: whole({ min: 0 }).default(16),
  /** Points of a positive pair, at most; negatives fill what positives leave. */
  totalNum: whole({ min: 1 }).default(64),
  /** Side of the template image in pixels. */
  exemplarSize: whole({ min: 1 }).default(127),
  /** Side of the search image in pixels. */
  searchSize: whole({ min: 1 }).default(255),
  /** What padding adds to the side of the score map; default `tracking.baseSize`, else 8. */
  baseSize: whole({ min: 0 }).optional(),
  /** Side of the score map; default 17 + `baseSize`, so 25 with the reference's 8. */
  scoreSize: whole({ min: 1 }).optional(),
  /** Checkpoint to continue from; empty for none. */
  resume: text().default(""),
  /** Weights of the whole model to start from; empty for none. */
  pretrained: text().default(""),
  /** Folder of logs.txt and of the TensorBoard events; empty for none. */
  logDir: text().default("./logs"),
  /** Folder of the checkpoints. */
  snapshotDir: text().default("./snapshot"),
  epochs: whole({ min: 1 }).default(20),
  /** First epoch, counted from 0. */
  startEpoch: whole({ min: 0 }).default(0),
  /** Pairs a step of each process. */
  batchSize: whole({ min: 1 }).default(32),
  /** Pairs that pass through the network at once, to save memory; default all of the batch. */
  microBatch: whole({ min: 1 }).optional(),
  /** How gradients of several processes become one: averaged over all pairs, or summed as published. */
  gradientReduction: choice(["mean", "sum"]).default("mean"),
  /** How learning rates follow the pairs of a step, against the recipe's 84. */
  lrRule: choice(["fixed", "linear", "sqrt"]).default("fixed"),
  /** Whether batch norms in training take the batches of all processes as one. */
  syncBatchNorm: flag().default(false),
  /** First epoch, counted from 0, in which all batch norms keep their running statistics; default none. */
  freezeNormsEpoch: whole({ min: 0 }).optional(),
  /** Workers that prepare pairs; 0 prepares them in the trainer's thread. */
  numWorkers: whole({ min: 0 }).default(1),
  momentum: real({ min: 0, below: 1 }).default(0.9),
  weightDecay: real({ min: 0 }).default(0.0001),
  /** Weight of the classification loss in the total. */
  clsWeight: real({ min: 0 }).default(1),
  /** Weight of the location loss in the total. */
  locWeight: real({ min: 0 }).default(1),
  /** Location loss: 1 - IoU, -log IoU, or 1 - GIoU (siamban/models/iou_loss.py; published: linear_iou). */
  locLoss: choice(["linear_iou", "iou", "giou"]).default("linear_iou"),
  /** Steps between two printed lines. */
  printFreq: whole({ min: 1 }).default(20),
  /** Whether TensorBoard gets the gradient and weight norm of every parameter. */
  logGrads: flag().default(false),
  /** Largest global L2 norm of the gradients. */
  gradClip: real({ above: 0 }).default(10),
  /** Learning rate that the groups' rates are multiples of. */
  baseLr: real({ above: 0 }).default(0.005),
  /** Learning rate after the warm-up. */
  lr: lrSchema,
  /** Learning rate of the first epochs. */
  lrWarmup: lrWarmupSchema,
  /** Start of every random stream; 123456 is the default of the reference's tools/train.py. */
  seed: whole({ min: 0, max: 0xffff_ffff }).default(123456),
  /** Backend; auto takes the fastest one that the machine has. */
  device: choice(["auto", "cuda", "onednn", "reference", "emulated"]).default("auto"),
  /** On a GPU: float32 as it is, in TF32 products, or with activations stored as bfloat16. */
  precision: choice(["float32", "tf32", "bf16"]).default("float32"),
  /** Whether a GPU gives the same bits at each run, which may cost speed. */
  deterministic: flag().default(false),
  /** Whether a GPU records a step once and replays it. */
  graph: flag().default(true),
  /** Whether a GPU waits after each launch, so that a fault names the op and its shapes. */
  deviceDebug: flag().default(false),
  /** CPU threads; 0 takes all cores. */
  threads: whole({ min: 0 }).default(0),
  /** Steps with a non-finite loss in a row after which the run stops. */
  maxSkippedSteps: whole({ min: 1 }).default(10),
  /** Largest loss that still updates the weights (tools/train.py has 1e4). */
  maxLoss: real({ above: 0 }).default(1e4),
  /** Steps between two checkpoints within an epoch, of which the newest two are kept; 0 for none. */
  checkpointEvery: whole({ min: 0 }).default(0),
  /** Minutes between two such checkpoints; 0 for none. */
  checkpointMinutes: real({ min: 0 }).default(0),
  /** Checkpoints at the end of an epoch that are kept, the newest ones; 0 keeps all. */
  keepCheckpoints: whole({ min: 0 }).default(0),
  /** Whether TensorBoard events are written. */
  tensorboard: flag().default(true),
  /** Steps an epoch; default `dataset.videosPerEpoch` over the batch size. */
  stepsPerEpoch: whole({ min: 1 }).optional(),
}).prefault({});

/** How a trained model follows its target. */
export const trackingSchema = section({
  type: choice(["SiamBANTracker"]).default("SiamBANTracker"),
  /** Strength of the penalty on changes of size and aspect ratio. */
  penaltyK: real({ min: 0 }).default(0.14),
  /** Share of the cosine window in the score. */
  windowInfluence: probability().default(0.45),
  /** How fast the size follows (TRACK.LR). */
  scaleLr: real({ min: 0 }).default(0.3),
  /** Side of the template image in pixels. */
  exemplarSize: whole({ min: 1 }).default(127),
  /** Side of the search image in pixels (TRACK.INSTANCE_SIZE). */
  searchSize: whole({ min: 1 }).default(255),
  /** What padding adds to the side of the score map; default `training.baseSize`. */
  baseSize: whole({ min: 0 }).optional(),
  /** Share of the box's mean side added around it. */
  contextAmount: real({ min: 0 }).default(0.5),
}).prefault({});
