import type { IouLossKind } from "../../../../src/ops/iou_loss.ts";
import { randomCrossEntropy, randomIouLoss } from "../../../support/random_ops.ts";
import { testAgainstReference } from "../against_reference.ts";

testAgainstReference("SelectCrossEntropy", randomCrossEntropy);

for (const kind of ["iou", "linear_iou", "giou"] as const satisfies IouLossKind[]) {
  testAgainstReference(`IouLoss ${kind}`, randomIouLoss(kind), { tolerance: 2e-5 });
}
