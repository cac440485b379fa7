/** The one mapping between our keys and those of siamban/core/config.py (and pysot's, NanoTrack's). */
import { STANDARD_SETS } from "./dataset_schema.ts";
import { isKnownKey, KNOWN_KEYS } from "./known_keys.ts";

/** Keys that are not simply our words in upper case with underscores. */
const RENAMED: Readonly<Record<string, string>> = {
  "name": "META_ARC",
  "training": "TRAIN",
  "training.epochs": "TRAIN.EPOCH",
  "training.scoreSize": "TRAIN.OUTPUT_SIZE",
  "dataset.sets": "DATASET",
  "neck": "ADJUST",
  "neck.enabled": "ADJUST.ADJUST",
  "head": "BAN",
  "head.enabled": "BAN.BAN",
  "points": "POINT",
  "tracking": "TRACK",
  "tracking.scaleLr": "TRACK.LR",
  "tracking.searchSize": "TRACK.INSTANCE_SIZE",
};

const snakeCase = (word: string) => word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/**
 * The reference's name of one of our keys.
 *
 * @param key A dotted path, e.g. `neck.kwargs.inChannels`.
 * @returns E.g. `ADJUST.KWARGS.in_channels`; arguments of a constructor stay lower case.
 */
export function toReferenceKey(key: string): string {
  if (Object.hasOwn(RENAMED, key)) return RENAMED[key];
  const dot = key.lastIndexOf(".");
  if (dot < 0) return snakeCase(key).toUpperCase();
  const [parent, word] = [key.slice(0, dot), key.slice(dot + 1)];
  // Names of data sets and positions in a list are what they are.
  if (parent === "dataset.sets" || /^\d+$/.test(word)) return `${toReferenceKey(parent)}.${word}`;
  const name = parent.endsWith(".kwargs") ? snakeCase(word) : snakeCase(word).toUpperCase();
  return `${toReferenceKey(parent)}.${name}`;
}

const OUR_KEYS = new Map(
  KNOWN_KEYS.filter((key) => key !== "dataset.sets").map((key) => [toReferenceKey(key), key]),
);

/** Every key of the reference that has a meaning here, and ours in upper case (`TRAIN.SEED`). */
export const REFERENCE_KEYS: readonly string[] = [...OUR_KEYS.keys()];

/**
 * Our name of one of the reference's keys.
 *
 * @param key A dotted path, e.g. `TRAIN.BATCH_SIZE`, or `DATASET.MINE.ROOT` of a further data set.
 * @returns E.g. `training.batchSize`; undefined for an unknown key.
 */
export function fromReferenceKey(key: string): string | undefined {
  const known = OUR_KEYS.get(key);
  if (known !== undefined) return known;
  const set = furtherSet(key);
  return set && OUR_KEYS.get(likeKnownSet(key))?.replace("dataset.sets.VID", `dataset.sets.${set}`);
}

/** Whether `key` is one of the reference's sections, such as `TRAIN.LR`. */
export function isReferenceSection(key: string): boolean {
  const prefix = `${likeKnownSet(key)}.`;
  return REFERENCE_KEYS.some((other) => other.startsWith(prefix));
}

/** Name of the data set that is not one of the six and that `key` sets something of. */
function furtherSet(key: string): string | undefined {
  const [top, set, field] = key.split(".");
  if (top !== "DATASET" || field === undefined || Object.hasOwn(STANDARD_SETS, set)) {
    return undefined;
  }
  return OUR_KEYS.has(`${top}.${set}.${field}`) ? undefined : set;
}

/** The key with one of the six sets in place of a further one: they have the same settings. */
function likeKnownSet(key: string): string {
  const set = furtherSet(key);
  return set ? key.replace(`DATASET.${set}.`, "DATASET.VID.") : key;
}

/** Whether a file's or a command line's key is in the reference's form. */
export function isUpperCase(key: string): boolean {
  return /^[A-Z][A-Z0-9_]*(\.|$)/.test(key);
}

/** Whether `DATASET.<name>` with this value is a further data set. */
export function isDatasetSet(key: string, value: unknown): boolean {
  const [top, name, ...rest] = key.split(".");
  return top === "DATASET" && rest.length === 0 && !Object.hasOwn(STANDARD_SETS, name) &&
    !isKnownKey(OUR_KEYS.get(key) ?? "") && typeof value === "object" && value !== null &&
    ["ROOT", "ANNO", "FRAME_RANGE", "NUM_USE"].some((field) => Object.hasOwn(value, field));
}

const ANCHORS = "boxes come from points here, not from SiamRPN's anchors";
const MASKS = "there is no mask branch";
const LONG_TERM = "belongs to the long-term tracker of SiamRPN++";

/** Keys of pysot and NanoTrack without a meaning here; a section stands for all that is in it. */
const WITHOUT_MEANING: Readonly<Record<string, string>> = {
  "ANCHOR": ANCHORS,
  "RPN": ANCHORS,
  "TRAIN.THR_HIGH": ANCHORS,
  "TRAIN.THR_LOW": ANCHORS,
  "MASK": MASKS,
  "REFINE": MASKS,
  "TRAIN.MASK_WEIGHT": MASKS,
  "TRACK.MASK_THERSHOLD": MASKS,
  "TRACK.MASK_OUTPUT_SIZE": MASKS,
  "TRACK.LOST_INSTANCE_SIZE": LONG_TERM,
  "TRACK.CONFIDENCE_LOW": LONG_TERM,
  "TRACK.CONFIDENCE_HIGH": LONG_TERM,
  "TRACK.OUTPUT_SIZE": "the tracker's score size follows from its image and base sizes",
  "TRAIN.NUM_CONVS": "no head here has towers of a variable number of convolutions",
};

/** Why a key, or the section it is in, has no meaning here; undefined if it may have one. */
export function whyWithoutMeaning(key: string): string | undefined {
  const found = Object.entries(WITHOUT_MEANING).find(([other]) =>
    key === other || key.startsWith(`${other}.`)
  );
  return found?.[1];
}

/** Values that mean one of ours, by the reference's key. */
export const SYNONYMS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "BACKBONE.TYPE": { res50: "resnet50" },
  "TRACK.TYPE": { NanoTracker: "SiamBANTracker" },
};
