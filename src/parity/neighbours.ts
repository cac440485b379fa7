/** Tells a check that fails from one that float32 cannot decide. */
import { hostTensor, type StateDict } from "../weights/mod.ts";
import type { Check } from "./check.ts";
import { mixer } from "./formula.ts";

/** How many neighbours a failed check is tried with before it counts as failed. */
export const NEIGHBOURS = 12;

/**
 * The same weights with every float32 value moved to the float before or after it, which of the two at
 * random.
 */
export function neighbourOf(weights: StateDict, seed: number): StateDict {
  return new Map(Array.from(weights, ([name, tensor]) => {
    if (!(tensor.data instanceof Float32Array)) return [name, tensor];
    const moved = tensor.data.slice();
    const bits = new Int32Array(moved.buffer);
    const random = mixer(name, seed);
    for (let i = 0; i < bits.length; i++) if (moved[i] !== 0) bits[i] += (random(i) >>> 31) * 2 - 1;
    return [name, hostTensor("float32", tensor.shape, moved)];
  }));
}

/**
 * Passes checks on, and runs those that fail again from neighbouring weights, with the same tolerances.
 *
 * A wrong kernel fails from every start. Where rounding alone decides on which side of a kink of the loss a
 * point lies, and the steps after it are other ones on either side, some neighbours pass and some fail:
 * such a check is {@linkcode Check.undecided}.
 *
 * @param run Gives the same checks for each neighbour; 0 is the start itself.
 */
export async function* decide(
  run: (neighbour: number) => AsyncGenerator<Check>,
): AsyncGenerator<Check> {
  const open = new Map<string, Check>();
  for await (const check of run(0)) {
    if (check.passed) yield check;
    else open.set(check.name, check);
  }
  for (let neighbour = 1; neighbour <= NEIGHBOURS && open.size > 0; neighbour++) {
    for await (const { name, passed } of run(neighbour)) {
      const failed = open.get(name);
      if (!passed || !failed) continue;
      open.delete(name);
      yield { ...failed, undecided: `passes from neighbour ${neighbour} of the starting weights` };
    }
  }
  yield* open.values();
}
