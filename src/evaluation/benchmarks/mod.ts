/**
 * Benchmarks: where their sequences lie, how trackers are run on them and how the toolkit they are
 * published with counts.
 *
 * @module
 */
import { join } from "@std/path";
import { closest } from "fastest-levenshtein";
import type { ConventionName } from "../conventions.ts";
import type { EaoRange } from "../eao.ts";
import type { ProtocolName } from "../results.ts";
import type { Sequence } from "../sequence.ts";
import { DTB70_SEQUENCES } from "./dtb70_sequences.ts";
import { readDtb70 } from "./dtb70.ts";
import { readGot10k } from "./got10k.ts";
import { readLasot } from "./lasot.ts";
import { LASOT_SEQUENCES } from "./lasot_sequences.ts";
import { readNfs } from "./nfs.ts";
import { NFS_SEQUENCES } from "./nfs_sequences.ts";
import { readOtb } from "./otb.ts";
import { OTB_SEQUENCES } from "./otb_sequences.ts";
import { readPysotJson } from "./pysot_json.ts";
import { ifFound, type SequenceEntry } from "./sequence_files.ts";
import { readTrackingNet } from "./trackingnet.ts";
import { readUav123 } from "./uav123.ts";
import { UAV_SEQUENCES } from "./uav123_sequences.ts";
import { readVot } from "./vot.ts";
import { VOT_SEQUENCES } from "./vot_sequences.ts";

/** A set of sequences that trackers are compared on. */
export interface Benchmark {
  readonly name: string;
  readonly protocol: ProtocolName;
  /** The convention that published figures follow. */
  readonly convention: ConventionName;
  /** Lengths that the expected average overlap is taken over. */
  readonly eao?: EaoRange;
  /** Names of all sequences, where the benchmark's folder does not list them itself. */
  readonly sequences?: readonly string[];
  /** How many sequences there are. */
  readonly count?: number;
  /** Reads the benchmark's own folder layout. */
  readonly readFolder: (root: string) => AsyncGenerator<SequenceEntry>;
}

const onePass = { protocol: "ope", convention: "pysot" } as const;
const restart = { protocol: "restart", convention: "pysot", readFolder: readVot } as const;

/** The benchmarks that can be scored, by name. */
export const BENCHMARKS = {
  OTB100: { ...onePass, sequences: OTB_SEQUENCES.OTB100, readFolder: readOtb("OTB100") },
  OTB50: { ...onePass, sequences: OTB_SEQUENCES.OTB50, readFolder: readOtb("OTB50") },
  CVPR13: { ...onePass, sequences: OTB_SEQUENCES.CVPR13, readFolder: readOtb("CVPR13") },
  UAV123: { ...onePass, sequences: UAV_SEQUENCES.UAV123, readFolder: readUav123("UAV123") },
  UAV20L: { ...onePass, sequences: UAV_SEQUENCES.UAV20L, readFolder: readUav123("UAV20L") },
  NFS30: { ...onePass, sequences: NFS_SEQUENCES, readFolder: readNfs(30) },
  NFS240: { ...onePass, sequences: NFS_SEQUENCES, readFolder: readNfs(240) },
  LaSOT: { ...onePass, sequences: LASOT_SEQUENCES, readFolder: readLasot },
  "GOT-10k": { protocol: "ope", convention: "got10k", count: 180, readFolder: readGot10k },
  TrackingNet: { ...onePass, count: 511, readFolder: readTrackingNet },
  DTB70: { ...onePass, sequences: DTB70_SEQUENCES, readFolder: readDtb70 },
  VOT2016: { ...restart, eao: { low: 108, high: 371 }, sequences: VOT_SEQUENCES.VOT2016 },
  VOT2017: { ...restart, eao: { low: 100, high: 356 }, sequences: VOT_SEQUENCES.VOT2017 },
  VOT2018: { ...restart, eao: { low: 100, high: 356 }, sequences: VOT_SEQUENCES.VOT2018 },
  VOT2019: { ...restart, eao: { low: 46, high: 291 }, sequences: VOT_SEQUENCES.VOT2019 },
  "VOT2018-LT": {
    protocol: "longTerm",
    convention: "pysot",
    sequences: VOT_SEQUENCES["VOT2018-LT"],
    readFolder: readVot,
  },
} as const satisfies Readonly<Record<string, Omit<Benchmark, "name">>>;

/** Name of a benchmark. */
export type BenchmarkName = keyof typeof BENCHMARKS;

/** Other names in use. */
const ALIASES: Readonly<Record<string, BenchmarkName>> = {
  otb2015: "OTB100",
  otb2013: "CVPR13",
  otb13: "CVPR13",
  tb50: "OTB50",
  tb100: "OTB100",
  nfs: "NFS30",
  got10k: "GOT-10k",
  otbtb50: "OTB50",
  otbtb100: "OTB100",
  uav: "UAV123",
  vot2018lt: "VOT2018-LT",
};

/**
 * A benchmark by its name; case and hyphens do not matter.
 *
 * @throws {RangeError} If there is none of this name.
 */
export function benchmarkNamed(name: string): Benchmark {
  const found = findBenchmark(name);
  if (found) return { name: found, ...BENCHMARKS[found] };
  const names = Object.keys(BENCHMARKS);
  throw new RangeError(
    `Cannot find benchmark "${name}", did you mean ${closest(name, names)}? ` +
      `Known are ${names.join(", ")}`,
  );
}

/** The benchmark that goes by a name, if there is one; case and hyphens do not matter. */
export function findBenchmark(name: string): BenchmarkName | undefined {
  const simplify = (text: string) => text.toLowerCase().replace(/[-_ ]/g, "");
  const names = Object.keys(BENCHMARKS) as BenchmarkName[];
  return names.find((known) => simplify(known) === simplify(name)) ?? ALIASES[simplify(name)];
}

/** What {@linkcode readBenchmark} found. */
export interface BenchmarkContent {
  readonly benchmark: Benchmark;
  readonly sequences: readonly Sequence[];
  /** Sequences that cannot be used, with the reason. */
  readonly missing: readonly { readonly name: string; readonly reason: string }[];
  /** Sequences of the annotations that are another benchmark's, and so do not count. */
  readonly others?: readonly string[];
}

/**
 * Sequences that cannot be used by reason. Hundreds of files that are not there differ in nothing but
 * the sequence's name, which then stands as `<sequence>`.
 */
export function groupMissing(
  missing: BenchmarkContent["missing"],
): { readonly names: readonly string[]; readonly reason: string }[] {
  const groups = Map.groupBy(missing, ({ name, reason }) => reason.replaceAll(name, "<sequence>"));
  return [...groups].map(([pattern, group]) => ({
    names: group.map(({ name }) => name),
    reason: group.length > 1 ? pattern : group[0].reason,
  }));
}

/**
 * Reads the truth of a benchmark.
 *
 * @param path A file of pysot-style annotations, a folder with one (`<benchmark>.json`), or the
 * benchmark's own folder.
 * @throws {Deno.errors.NotFound} If there is nothing at the path.
 */
export async function readBenchmark(
  benchmark: Benchmark,
  path: string,
): Promise<BenchmarkContent> {
  const found: Sequence[] = [];
  const missing: { name: string; reason: string }[] = [];
  for await (const entry of await openAnnotations(benchmark, path)) {
    if (entry.kind === "sequence") found.push(entry.sequence);
    else missing.push({ name: entry.name, reason: entry.reason });
  }
  const others = ofOthers(benchmark, found);
  const sequences = found.filter(({ name }) => !others.includes(name));
  const known = new Set([...sequences, ...missing].map(({ name }) => name));
  for (const name of benchmark.sequences ?? []) {
    if (!known.has(name)) missing.push({ name, reason: "it is not in the annotations" });
  }
  return { benchmark, sequences, missing, others };
}

/**
 * Sequences that other benchmarks list and this one does not, such as those of OTB100's annotations on
 * OTB50. Where none is this one's the annotations are somebody's own, and names mean nothing.
 */
function ofOthers(benchmark: Benchmark, found: readonly Sequence[]): string[] {
  const own = new Set(benchmark.sequences);
  if (!found.some(({ name }) => own.has(name))) return [];
  const lists = Object.values<Omit<Benchmark, "name">>(BENCHMARKS);
  const listed = new Set(lists.flatMap(({ sequences = [] }) => sequences));
  return found.map(({ name }) => name).filter((name) => listed.has(name) && !own.has(name));
}

async function openAnnotations(
  { name, readFolder }: Benchmark,
  path: string,
): Promise<AsyncGenerator<SequenceEntry>> {
  if ((await Deno.stat(path)).isFile) return readPysotJson(path);
  const inFolder = join(path, `${name}.json`);
  return await ifFound(Deno.stat(inFolder)) ? readPysotJson(inFolder) : readFolder(path);
}

export type { SequenceEntry } from "./sequence_files.ts";
