/** Where pairs come from and how they are varied (siamban/core/config.py). */
import { z } from "zod";
import { choice, list, probability, real, section, text, whole } from "./fields.ts";

/** Raw sequences: a folder or file in a known form, or the built-in ones that are drawn. */
export const sourceSchema = section({
  /** How the raw data is laid out; `synthetic` is drawn and needs no files. */
  format: choice([
    "synthetic",
    "vid",
    "youtubebb",
    "det",
    "coco",
    "got10k",
    "lasot",
    "otb",
    "vot",
    "voc",
    "csv",
    "video",
  ]),
  /** Folder or file of the raw data. */
  root: text().default(""),
  /** Box file, where boxes do not lie beside the frames (`video`). */
  boxes: text().optional(),
  /** Number of drawn videos. */
  videos: whole({ min: 1 }).optional(),
  /** Frames of a drawn video. */
  frames: whole({ min: 2 }).optional(),
  /** Which drawn videos; `test` ones are never part of a prepared set. */
  split: choice(["train", "test"]).optional(),
  /** What is drawn depends on it. */
  seed: whole({ min: 0, max: 2 ** 24 - 1 }).optional(),
});

/** Settings of one prepared data set, as written: what is left out comes from {@link STANDARD_SETS}. */
export const datasetSetSchema = section({
  /** Folder of the 511-pixel crops. */
  root: text().optional(),
  /** JSON file of the boxes. */
  anno: text().optional(),
  /** Largest distance in frames between template and search frame. */
  frameRange: whole({ min: 0 }).optional(),
  /** Videos drawn an epoch, by repetition or truncation; -1 takes each once. */
  numUse: whole({ min: -1 }).optional(),
  /** Raw data from which the crops are prepared when `anno` does not exist. */
  source: sourceSchema.optional(),
});

/** Where raw sequences come from. */
export type SourceConfig = z.output<typeof sourceSchema>;

/** Settings of one prepared data set, complete. */
export interface DatasetSet {
  readonly root: string;
  readonly anno: string;
  readonly frameRange: number;
  readonly numUse: number;
  readonly source?: SourceConfig;
}

function standardSet(folder: string, frameRange: number, numUse: number): DatasetSet {
  const root = `training_dataset/${folder}`;
  const anno = folder === "coco" ? "train2017.json" : "train.json";
  return { root: `${root}/crop511`, anno: `${root}/${anno}`, frameRange, numUse };
}

/** The six public sets with the reference's values. */
export const STANDARD_SETS: Readonly<Record<string, DatasetSet>> = {
  VID: standardSet("vid", 100, 100000),
  YOUTUBEBB: standardSet("yt_bb", 3, 200000),
  COCO: standardSet("coco", 1, 100000),
  DET: standardSet("det", 1, 200000),
  GOT10K: standardSet("got_10k", 100, 200000),
  LASOT: standardSet("lasot", 100, 200000),
};

/** A set of one's own: frames anywhere within 100, each video once. */
export const FURTHER_SET_DEFAULTS = { frameRange: 100, numUse: -1 };

const augmentation = (shift: number, scale: number) =>
  section({
    /** Largest shift of the crop in pixels. */
    shift: real({ min: 0 }).default(shift),
    /** Largest relative change of the crop's size. */
    scale: real({ min: 0, below: 1 }).default(scale),
    /** Probabilities of a blur, a mirror image and a colour change. */
    blur: probability().default(0),
    flip: probability().default(0),
    color: probability().default(1),
  }).prefault({});

const setName = z.string().regex(/^[A-Za-z]\w*$/, {
  error: "a set name of letters, digits and underscores",
});

/** What is trained on. */
export const datasetSchema = section({
  /** Augmentation of the template image. */
  template: augmentation(4, 0.05),
  /** Augmentation of the search image. */
  search: augmentation(64, 0.18),
  /** Probability of a negative pair (DaSiamRPN, arXiv:1808.06048). */
  neg: probability().default(0.2),
  /** Probability of a gray pair. */
  gray: probability().default(0),
  /** What a picture that cannot be read does: `fail` ends the run, `skip` draws another pair. */
  unreadable: choice(["fail", "skip"]).default("fail"),
  /** The sets to train on, in this order. */
  names: list(text(), "set names").default(["VID", "YOUTUBEBB", "DET", "COCO", "GOT10K", "LASOT"]),
  /** Settings by set name, added to the six public ones; a further set gives `root` and `anno`. */
  sets: z.record(setName, datasetSetSchema, { error: "a section of sets" }).default({}),
  /** Pairs an epoch; -1 or 0 takes as many as the sets' `numUse` give. */
  videosPerEpoch: whole({ min: -1 }).default(1000000),
}).prefault({});
