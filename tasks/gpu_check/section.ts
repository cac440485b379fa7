import type { CudaBackend } from "../../mod.ts";

/** A figure of the check. */
export interface Figure {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  /** What it is compared with, such as PyTorch's figure or a floor. */
  readonly against?: { readonly name: string; readonly ratio: number };
  /** A goal for the ratio or the value, and whether it is met. */
  readonly goal?: { readonly text: string; readonly met: boolean };
}

/** What one part of the check found. */
export interface Section {
  readonly name: string;
  readonly status: "ok" | "failed" | "skipped";
  /** Why, in a line. */
  readonly detail: string;
  readonly figures: readonly Figure[];
  /** Further facts, for the JSON. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** How much is done. */
export interface Scale {
  /** A small network on an emulated device, for a run without a card. */
  readonly reduced: boolean;
  readonly device: "cuda" | "emulated";
  readonly batch: number;
  /** Steps of the training. */
  readonly steps: number;
  /** Timed rounds of which the median counts, and steps of each. */
  readonly rounds: number;
  readonly stepsPerRound: number;
}

/** Runs a part; what it throws is its finding. */
export async function attemptSection(
  name: string,
  run: () => Promise<Omit<Section, "name">>,
): Promise<Section> {
  try {
    return { name, ...await run() };
  } catch (error) {
    const { message, stack } = error as Error;
    return { name, status: "failed", detail: message, figures: [], facts: { stack } };
  }
}

/** The median. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

/** Waits until the device has done all that was queued. */
export function settle(cuda: CudaBackend): void {
  cuda.stream.synchronize();
}
