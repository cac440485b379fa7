/**
 * How toolkits count. The same results give different figures in different toolkits; a convention
 * says which toolkit's rules are meant.
 *
 * @module
 */
import type { ThresholdSpacing } from "./f1.ts";
import { type OpeRules, steps } from "./ope_rules.ts";

/** How accuracy, robustness and expected average overlap are counted (VOT, restart protocol). */
export interface RestartRules {
  /** How runs become segments: see `cutAtRestarts` and `cutAtFailures`. */
  readonly segments: "at restarts" | "at failures";
  /** Whether frames or lengths of sequences weigh accuracy and robustness. */
  readonly weighting: "frames" | "lengths";
  /** How far the far edges of the picture are moved in where overlaps are bounded, in pixels. */
  readonly boundsInset: { readonly accuracy: 0 | 1; readonly eao: 0 | 1 };
  /** The length that the first entry of the expected overlap curve stands for. */
  readonly firstLength: 0 | 1;
  /** What the tag `empty` marks: tags a sequence never uses (no useful meaning), or frames without a tag. */
  readonly emptyTag: "unused tags" | "untagged frames";
  /** Accuracy of a sequence: over frames first or over repetitions first, none counted being 0. */
  readonly missingAccuracy: "left out" | "zero";
}

/** How precision, recall and F are counted (long-term protocol). */
export interface LongTermRules {
  readonly spacing: ThresholdSpacing;
  /** What the lowest threshold, −∞, lets through. */
  readonly lowest: "above 0" | "all";
  /** Overlap where neither the target nor an answer is there. */
  readonly bothAbsent: 0 | 1;
}

/** A toolkit's rules; a protocol it does not know has none. */
export interface Convention {
  readonly name: ConventionName;
  /** What it is, for a person. */
  readonly title: string;
  readonly ope: OpeRules;
  /** Other one-pass rules for single benchmarks. */
  readonly opeOf?: Readonly<Record<string, Partial<OpeRules>>>;
  readonly restart?: RestartRules;
  readonly longTerm?: LongTermRules;
}

/** A named convention. */
export type ConventionName = "pysot" | "got10k" | "pytracking" | "vot";

const hundredths = Array.from({ length: 51 }, (_, i) => i / 100);

/**
 * pysot's toolkit, which SiamBAN, NanoTrack and many others publish with.
 *
 * Success: 21 thresholds, `>`; a frame whose true box has no positive size misses. Precision: a
 * frame whose true centre is not positive *hits* at every threshold (its distance is set to −1).
 * Frames that LaSOT marks as absent cannot hit but stay in the denominator. The first frame counts.
 */
const pysot: Convention = {
  name: "pysot",
  title: "pysot toolkit (SiamBAN, SiamRPN++, NanoTrack)",
  ope: {
    overlap: "area",
    boundedOverlap: false,
    successThresholds: steps(21, 0.05),
    successIf: ">",
    precisionThresholds: steps(51, 1),
    normalisedThresholds: hundredths,
    normaliser: "size",
    normalisedFigure: "at 0.2",
    start: { frames: 0, are: "counted" },
    overlapTruth: "positive size",
    centreTruth: "positive centre",
    withoutTruth: { overlap: "miss", centre: "hit", normalised: "hit" },
    invisible: "drop",
    visibility: "visible",
    denominator: "all frames",
    repeatEmptyBoxes: false,
    average: "sequences",
  },
  restart: {
    segments: "at restarts",
    weighting: "frames",
    boundsInset: { accuracy: 0, eao: 1 },
    firstLength: 1,
    emptyTag: "unused tags",
    missingAccuracy: "left out",
  },
  longTerm: { spacing: "centred", lowest: "above 0", bothAbsent: 0 },
};

/**
 * GOT-10k's toolkit. In the first frame the truth stands in for the answer; frames whose truth is
 * NaN are left out altogether, others count however small their box. Normalised precision is the
 * mean of its curve. On GOT-10k: the first frame and frames with cover 0 are left out, boxes are
 * brought into the picture, and all frames of all sequences (and repetitions) are one heap.
 */
const got10k: Convention = {
  name: "got10k",
  title: "GOT-10k toolkit",
  ope: {
    ...pysot.ope,
    overlap: "got10k area",
    normalisedThresholds: steps(51, 0.01),
    normaliser: "size, at least 1",
    normalisedFigure: "mean",
    start: { frames: 1, are: "the truth" },
    overlapTruth: "not NaN",
    centreTruth: "not NaN",
    withoutTruth: { overlap: "left out", centre: "left out", normalised: "left out" },
    invisible: "ignored",
    denominator: "counted frames",
  },
  opeOf: {
    "GOT-10k": {
      boundedOverlap: true,
      successThresholds: steps(101, 0.01),
      start: { frames: 1, are: "left out" },
      invisible: "left out",
      visibility: "cover",
      average: "frames",
    },
  },
};

/**
 * pytracking's analysis. In the first frame the truth stands in for the answer. A true box counts
 * only if all four numbers are positive (so a target cut by the left or upper edge does not);
 * without it success and precision miss and normalised precision hits. UAV123: precision hits too.
 * LaSOT: frames in which the target cannot be seen miss everywhere. Empty predicted boxes repeat the
 * one before. A sequence is divided by all its frames.
 *
 * Not taken over: padding short results with zeros and cutting long ones in silence.
 */
const pytracking: Convention = {
  name: "pytracking",
  title: "pytracking analysis (DiMP, ToMP)",
  ope: {
    ...pysot.ope,
    overlap: "pytracking area",
    start: { frames: 1, are: "the truth" },
    overlapTruth: "all positive",
    centreTruth: "all positive",
    withoutTruth: { overlap: "miss", centre: "miss", normalised: "hit" },
    invisible: "miss",
    repeatEmptyBoxes: true,
  },
  opeOf: { UAV123: { withoutTruth: { overlap: "miss", centre: "hit", normalised: "hit" } } },
};

/**
 * The VOT toolkit (its Python form, with the yearly stacks). Overlap counts painted pixels in the
 * picture; in one pass the first 10 frames and frames without truth are left out and sequences
 * weigh by length; 100 thresholds, `>` but at the last, 1, `>=`. With restarts: accuracy is the mean of the sequences' accuracies by length,
 * robustness the mean number of failures by length, segments end where the tracker fails, and the
 * range of lengths is read as indices from 0.
 *
 * Regions are painted as the toolkits up to 2019 did ({@linkcode votOverlap}); later ones round
 * half to even and take one pixel less of upright boxes.
 */
const vot: Convention = {
  name: "vot",
  title: "VOT toolkit",
  ope: {
    ...pysot.ope,
    overlap: "painted",
    boundedOverlap: true,
    successThresholds: Array.from({ length: 100 }, (_, i) => i / 99),
    successIf: ">, at 1 >=",
    start: { frames: 10, are: "left out" },
    overlapTruth: "not NaN",
    centreTruth: "not NaN",
    withoutTruth: { overlap: "left out", centre: "left out", normalised: "left out" },
    invisible: "left out",
    denominator: "counted frames",
    average: "lengths",
  },
  restart: {
    segments: "at failures",
    weighting: "lengths",
    boundsInset: { accuracy: 0, eao: 0 },
    firstLength: 0,
    emptyTag: "untagged frames",
    missingAccuracy: "zero",
  },
  longTerm: { spacing: "vot", lowest: "all", bothAbsent: 1 },
};

/** All conventions by name. */
export const CONVENTIONS: Readonly<Record<ConventionName, Convention>> = {
  pysot,
  got10k,
  pytracking,
  vot,
};

/** One-pass rules of a convention on a benchmark. */
export function opeRules({ ope, opeOf }: Convention, benchmark: string): OpeRules {
  return { ...ope, ...opeOf?.[benchmark] };
}
