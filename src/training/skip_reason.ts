/** Why a step was not applied, in words that name the pairs it was made of. */
import type { Batch } from "../data/batches.ts";
import type { StepFigures } from "./step.ts";

/** A batch, and the loss that it may not exceed. */
export interface JudgedBatch extends Pick<Batch, "provenance"> {
  readonly maxLoss: number;
}

/** What is wrong with a loss, if anything. */
export function lossComplaint(
  loss: number,
  { maxLoss, provenance }: JudgedBatch,
): string | undefined {
  if (loss <= maxLoss) return undefined;
  const cause = Number.isFinite(loss)
    ? `the loss ${loss} is above training.maxLoss ${maxLoss}`
    : `the loss is ${loss}`;
  return `${cause}; ${contentOf(provenance)}`;
}

/** What was wrong with a step that was skipped: its loss, or else its gradient. */
export function skipReason(
  { losses, gradNorm }: Pick<StepFigures, "losses" | "gradNorm">,
  batch: JudgedBatch,
): string {
  return lossComplaint(losses.total, batch) ??
    `the gradient norm is ${gradNorm}; ${contentOf(batch.provenance)}`;
}

function contentOf(provenance: Batch["provenance"]): string {
  const pairs = provenance.map(({ template, search }) => `${template.path} + ${search.path}`);
  return `the batch holds ${pairs.join(", ")}`;
}
