import type { Tensor } from "@tensorflow/tfjs";
import type { Collective } from "../collective.ts";
import { defineOp, type OpInputs } from "./define_op.ts";

/** Attributes of {@linkcode AllReduce}. */
export interface AllReduceAttributes {
  readonly collective: Collective;
}

/**
 * Inputs: any number of float32 tensors, of the same sizes on all ranks. Each becomes, in place, the sum of that tensor over
 * all ranks; a kernel marks them changed. No outputs.
 */
export const AllReduce = defineOp<OpInputs, AllReduceAttributes>({ name: "SiambanAllReduce" });

/**
 * Adds tensors up over all ranks, in place: for tensors that nobody else holds, such as fresh gradients. All ranks must
 * call this with tensors of the same sizes in the same order.
 */
export function allReduce(tensors: readonly Tensor[], collective: Collective): void {
  if (collective.size === 1 || tensors.length === 0) return;
  AllReduce.runAll(
    Object.fromEntries(tensors.map((tensor, i) => [`t${i}`, tensor])),
    { collective },
  );
}

/** The sum of a tensor over all ranks, as a new tensor. */
export function allReduced<T extends Tensor>(tensor: T, collective: Collective): T {
  // Cloning in tfjs shares the data, which is about to change.
  const copy = tensor.add<T>(0);
  allReduce([copy], collective);
  return copy;
}
