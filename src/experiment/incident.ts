/** Steps that went wrong: kept whole, so that a person can look at them and take them again. */
import { join } from "@std/path";
import { z } from "zod";
import { observeKernels } from "../backends/mod.ts";
import type { ExperimentConfig } from "../config/experiment_config.ts";
import { parseExperiment } from "../config/parse.ts";
import type { BANDataset } from "../data/ban_dataset.ts";
import type { Batch, Pixels } from "../data/batches.ts";
import { loadBatches } from "../data/loader.ts";
import { contactSheet, drawBoxes, drawText } from "../image/draw.ts";
import { encodePng } from "../image/encode.ts";
import type { Image } from "../image/image.ts";
import { buildModel, type SiamBAN } from "../models/siamban.ts";
import { loadStateDict, stateDict } from "../nn/state_dict.ts";
import { buildOptimizer, stageIn } from "../training/optimizer.ts";
import type { StepLosses } from "../training/report.ts";
import { readStep, toBatchTensors, trainStep } from "../training/step.ts";
import { lrSpaceOf } from "../training/learning_rates.ts";
import { readCheckpoint } from "../weights/checkpoint_file.ts";
import { hostTensor, type StateDict } from "../weights/host_tensor.ts";
import { writeCheckpointAside } from "../weights/write_aside.ts";
import * as tf from "@tensorflow/tfjs";

/** Which step of which rank. */
export interface IncidentPlace {
  readonly epoch: number;
  readonly step: number;
  readonly rank: number;
  readonly ranks: number;
  readonly stepsPerEpoch: number;
}

/** The files of an incident. */
export interface SavedIncident {
  /** Weights, batch and what is known of the step. */
  readonly path: string;
  /** Template and search pictures with the target's box. */
  readonly picture: string;
}

const MODEL = "model.";
const BATCH = "batch.";
const BATCH_ARRAYS = ["template", "search", "labelCls", "labelLoc", "box"] as const;

/**
 * Keeps a step: its weights, which it did not change, its batch, which is a function of its place, and a picture.
 *
 * @param options `folder`: made where it does not exist.
 */
export async function saveIncident(
  model: SiamBAN,
  { folder, config, dataset, place, losses, reason }: {
    readonly folder: string;
    readonly config: ExperimentConfig;
    readonly dataset: BANDataset;
    readonly place: IncidentPlace;
    readonly losses: StepLosses;
    readonly reason: string;
  },
): Promise<SavedIncident> {
  const tensors = new Map(stateDict(model, MODEL));
  const batch = await batchAt(dataset, config, place);
  for (const name of BATCH_ARRAYS) {
    const data = batch[name];
    const dtype = data instanceof Int32Array ? "int32" : "float32";
    const kept = data instanceof Uint8Array ? Float32Array.from(data) : data.slice();
    tensors.set(BATCH + name, hostTensor(dtype, [data.length], kept));
  }
  const { epoch, step, rank, ranks } = place;
  const name = `e${epoch + 1}_s${step + 1}${ranks > 1 ? `_rank${rank}` : ""}`;
  const [path, picture] = [join(folder, `${name}.safetensors`), join(folder, `${name}.png`)];
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeFile(picture, await encodePng(drawBatch(batch, config)));
  const state = {
    format: 1,
    incident: { ...place },
    reason,
    losses: Object.fromEntries(
      Object.entries(losses).map(([term, loss]) => [term, String(loss)]),
    ),
    pairs: batch.provenance.map(({ template, search }) => [template.path, search.path]),
    config: JSON.parse(JSON.stringify(config)),
  };
  await writeCheckpointAside(path, { tensors, state });
  return { path, picture };
}

/** The batch of a step, made again. */
async function batchAt(
  dataset: BANDataset,
  { training }: ExperimentConfig,
  { epoch, step, rank, ranks, stepsPerEpoch }: IncidentPlace,
): Promise<Batch> {
  const batches = loadBatches(dataset, {
    seed: training.seed,
    batchSize: training.batchSize,
    epochs: epoch + 1,
    start: { epoch, step },
    stepsPerEpoch,
    workers: 0,
    rank,
    worldSize: ranks,
  });
  for await (const batch of batches) return batch;
  throw new RangeError(`Cannot make the batch of epoch ${epoch + 1} step ${step + 1} again`);
}

function drawBatch(batch: Batch, { training }: ExperimentConfig): Image {
  const { exemplarSize, searchSize } = training;
  const pictures = Array.from({ length: batch.size }, (_, i) => {
    const [x1, y1, x2, y2] = batch.box.subarray(4 * i, 4 * i + 4);
    const search = imageAt(batch.search, i, searchSize);
    const boxed = drawBoxes(search, [{ box: { x1, y1, x2, y2 }, color: [80, 220, 60] }]);
    const name = batch.provenance[i].search.path.split("/").slice(-2).join("/");
    return [imageAt(batch.template, i, exemplarSize), drawText(boxed, name)];
  });
  return contactSheet(pictures.flat(), { columns: 4 });
}

/** One of a batch's pictures; what is no byte becomes the nearest, and what is no number black. */
function imageAt(values: Pixels, index: number, size: number): Image {
  const length = 3 * size * size;
  const pixels = values.subarray(index * length, (index + 1) * length);
  return { width: size, height: size, data: Uint8Array.from(Uint8ClampedArray.from(pixels)) };
}

/** What a kernel gave when a step was taken again. */
export interface KernelFigures {
  readonly kernel: string;
  readonly shape: readonly number[];
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Values that are no finite number. */
  readonly notFinite: number;
}

/** A step taken again. */
export interface Replay {
  readonly place: IncidentPlace;
  readonly reason: string;
  /** What the step said when it was taken first. */
  readonly recorded: Readonly<Record<string, string>>;
  readonly losses: StepLosses;
  readonly gradNorm: number;
  readonly applied: boolean;
  /** Of all kernels in the order in which they ran. */
  readonly kernels: readonly KernelFigures[];
  /** The first kernel whose output is not finite although what came before was. */
  readonly first?: number;
  readonly pairs: readonly (readonly [template: string, search: string])[];
}

const stateSchema = z.object({
  format: z.literal(1),
  incident: z.object({
    epoch: z.int(),
    step: z.int(),
    rank: z.int(),
    ranks: z.int(),
    stepsPerEpoch: z.int(),
  }),
  reason: z.string(),
  losses: z.record(z.string(), z.string()),
  pairs: z.array(z.tuple([z.string(), z.string()])),
  config: z.record(z.string(), z.json()),
});

/**
 * Takes a step that {@linkcode saveIncident} kept again, on the current backend, and looks at what each kernel
 * gives. Of several ranks it takes this one's part.
 *
 * @throws {RangeError} If the file is none of an incident.
 */
export async function replayIncident(path: string): Promise<Replay> {
  const { tensors, state } = await readCheckpoint(path);
  const { data: saved, error } = stateSchema.safeParse(state);
  if (!saved) {
    const { path: key, message } = error.issues[0];
    throw new RangeError(
      `Cannot replay "${path}": it is no incident of a training (${
        key.join(".")
      }: ${message}), name a ` +
        "file of the folder incidents beside the log",
    );
  }
  const config = parseExperiment(saved.config as never);
  const { epoch } = saved.incident;
  using model = buildModel(config);
  loadStateDict(model, partOf(tensors, MODEL));
  using optimizer = buildOptimizer(model, config, stageIn(config, epoch));
  const lrSpace = lrSpaceOf(config);
  const inputs = toBatchTensors(batchOf(partOf(tensors, BATCH), config));
  const kernels: KernelFigures[] = [];
  const figures = await (() => {
    using _ = observeKernels(({ kernel, output: { shape }, values }) =>
      kernels.push({ kernel, shape: [...shape], ...statisticsOf(values) })
    );
    return readStep(trainStep(model, inputs, {
      optimizer,
      learningRates: optimizer.groups.map(({ initialLr }) => lrSpace.groupLr(epoch, initialLr)),
    }));
  })();
  tf.dispose(Object.values(inputs));
  const first = kernels.findIndex(({ notFinite }) => notFinite > 0);
  return {
    place: saved.incident,
    reason: saved.reason,
    recorded: saved.losses,
    pairs: saved.pairs,
    losses: figures.losses,
    gradNorm: figures.gradNorm,
    applied: figures.applied,
    kernels,
    ...(first >= 0 ? { first } : {}),
  };
}

function partOf(tensors: StateDict, prefix: string): StateDict {
  return new Map(
    [...tensors].filter(([name]) => name.startsWith(prefix))
      .map(([name, tensor]) => [name.slice(prefix.length), tensor]),
  );
}

/** @throws {RangeError} If an array is missing, or not as long as the experiment has it. */
function batchOf(tensors: StateDict, { training }: ExperimentConfig) {
  const { batchSize: size, exemplarSize, searchSize, scoreSize } = training;
  const array = <T>(name: (typeof BATCH_ARRAYS)[number], kind: string, each: number) => {
    const { dtype, data } = tensors.get(name) ?? {};
    if (dtype === kind && data?.length === size * each) return data as T;
    throw new RangeError(
      `Cannot replay the step: its "${name}" has ${data?.length ?? 0} numbers of type ${dtype}, ` +
        `expected ${size * each} of type ${kind} as its experiment says`,
    );
  };
  return {
    size,
    template: array<Float32Array>("template", "float32", 3 * exemplarSize ** 2),
    search: array<Float32Array>("search", "float32", 3 * searchSize ** 2),
    labelCls: array<Int32Array>("labelCls", "int32", scoreSize ** 2),
    labelLoc: array<Float32Array>("labelLoc", "float32", 4 * scoreSize ** 2),
    box: array<Float32Array>("box", "float32", 4),
  };
}

function statisticsOf(values: ArrayLike<number>) {
  let min = Infinity, max = -Infinity, sum = 0, notFinite = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (!Number.isFinite(value)) {
      notFinite++;
      continue;
    }
    if (value < min) min = value;
    if (value > max) max = value;
    sum += value;
  }
  return { min, max, mean: sum / (values.length - notFinite), notFinite };
}
