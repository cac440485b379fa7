/** `prepare.json`: what a folder of prepared data was made of, so that nothing else is mixed in. */
import { join } from "@std/path";
import type { CropPlan } from "./crop_plan.ts";
import { writeWhole } from "./whole_file.ts";

/** What a folder holds. */
export interface Claim {
  readonly searchSize: number;
  readonly exemplarSize: number;
  readonly contextAmount: number;
  readonly quality: number;
  readonly pack: boolean;
  readonly asPublished: boolean;
  readonly templateCrops: boolean;
  readonly valEvery: number;
  /** Where the raw data was; not compared. */
  readonly source?: unknown;
  readonly plan: CropPlan;
}

/** What a finished preparation notes besides. */
export interface ClaimResult {
  readonly plan: CropPlan;
  readonly counts: DoneCounts;
  /** Boxes in each annotation file. */
  readonly annotated: { readonly train: number; readonly val: number };
}

/** Counts of a finished preparation. */
export interface DoneCounts {
  readonly boxes: number;
  readonly crops: number;
  /** Of the crops. */
  readonly bytes: number;
  readonly refused: Record<string, number>;
  readonly quarantined: number;
  readonly faults: number;
}

const FORM = 2;

/** A folder's claim while work goes on in it. */
export interface OpenClaim {
  readonly out: string;
  readonly settings: Omit<Claim, "plan">;
  /** What an earlier run has noted that has finished. */
  readonly done?: DoneCounts;
  /** Whether the folder turned out to hold something else; nothing in it may be touched. */
  readonly isForeign: boolean;
  /**
   * Notes the plan, or makes sure that it is the one that the folder belongs to.
   *
   * @throws {RangeError} If it is another one.
   */
  confirm(plan: CropPlan): Promise<void>;
}

/**
 * Looks whether a folder is free for this work, or holds a part of it.
 *
 * @throws {RangeError} If it holds something else.
 */
export async function openClaim(out: string, settings: Omit<Claim, "plan">): Promise<OpenClaim> {
  const held = await readClaim(out);
  const isLeft = await isThere(join(out, "train.json"));
  if (!held && isLeft) throw refuse(out, "annotations of another origin");
  const differs = held && differenceOf(held, settings);
  if (differs) throw refuse(out, `crops of other boxes or settings (${differs})`);
  let isForeign = false;
  return {
    out,
    settings,
    done: held?.done ? held.counts : undefined,
    get isForeign() {
      return isForeign;
    },
    async confirm(plan) {
      if (!held) return await write(out, { ...settings, plan });
      if (held.plan.digest === plan.digest) return;
      isForeign = true;
      throw refuse(
        out,
        "crops of other boxes or settings (the raw annotations, or the place where they lie, are " +
          "not those that it was prepared from)",
      );
    },
  };
}

/** Notes that the work is done. */
export async function writeClaim(claim: OpenClaim, result: ClaimResult): Promise<void> {
  await write(claim.out, { ...claim.settings, done: true, ...result });
}

/** A claim as it stands in a folder. */
export interface HeldClaim extends Claim {
  readonly done?: true;
  readonly counts?: DoneCounts;
  /** Boxes in each annotation file. */
  readonly annotated?: { readonly train: number; readonly val: number };
}

/** The claim of a folder; undefined if there is none. */
export async function readClaim(out: string): Promise<HeldClaim | undefined> {
  const path = join(out, "prepare.json");
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const held = parse(text);
  if (held?.form === FORM && typeof held.plan?.digest === "string") return held;
  throw refuse(out, "crops that another version has prepared");
}

// deno-lint-ignore no-explicit-any
function parse(text: string): any {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function differenceOf(held: Claim, { source: _, ...settings }: Omit<Claim, "plan">) {
  for (const [key, wanted] of Object.entries(settings)) {
    const found = held[key as keyof Claim];
    if (found !== wanted) return `${key} is ${found}, not ${wanted}`;
  }
}

function refuse(out: string, what: string): RangeError {
  return new RangeError(
    `Cannot prepare into "${out}": it holds ${what}, remove it or choose another folder`,
  );
}

async function write(out: string, content: object): Promise<void> {
  await writeWhole(join(out, "prepare.json"), [
    JSON.stringify({ form: FORM, ...content }, null, 2) + "\n",
  ]);
}

async function isThere(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
