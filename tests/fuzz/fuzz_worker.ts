/** Runs cases in a thread of its own, so that one that never ends can be ended. */
import { caseOf, loadTarget, runCase } from "./engine.ts";
import { foundCases } from "./found_cases.ts";
import { TARGETS } from "./targets/mod.ts";

/** What a worker is asked to do. */
export interface Order {
  readonly target: string;
  readonly seed: number;
  /** First case and the one after the last; below 0 lie the found ones. */
  readonly from: number;
  readonly to: number;
  readonly folder: string;
  /** Gets the number of the case at work. */
  readonly progress: Int32Array;
}

/** What it answers, once a fault and once at the end. */
export type Answer =
  | { readonly kind: "fault"; readonly index: number; readonly fault: string }
  | { readonly kind: "done"; readonly parsed: number; readonly refused: number };

const scope = self as unknown as {
  onmessage: (event: MessageEvent<Order>) => void;
  postMessage(answer: Answer): void;
};

scope.onmessage = async ({ data: { target: name, seed, from, to, folder, progress } }) => {
  const target = TARGETS.find((candidate) => candidate.name === name)!;
  const found = await foundCases(name);
  const loaded = await loadTarget(target, found);
  let parsed = 0, refused = 0;
  for (let index = from; index < to; index++) {
    Atomics.store(progress, 0, index);
    Atomics.add(progress, 1, 1);
    const bytes = index < 0 ? loaded.corpus.at(index)! : caseOf(loaded, seed, index);
    const outcome = await runCase(target, bytes.slice(), folder);
    if (outcome === "parsed") parsed++;
    else if (outcome === "refused") refused++;
    else scope.postMessage({ kind: "fault", index, fault: outcome.fault });
  }
  scope.postMessage({ kind: "done", parsed, refused });
};
