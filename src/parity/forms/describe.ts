import { z } from "zod";
import { parseExperiment } from "../../config/mod.ts";
import { buildModel, freezeBackbone } from "../../models/mod.ts";
import { describe } from "../../nn/mod.ts";
import { type Check, checkEqual } from "../check.ts";
import { attempt, defineForm } from "../form.ts";

/** `describe_<backbone>_epoch<e>.txt`. */
const NAME = /(?:^|\/)describe_([^/_]+)_epoch(\d+)\.txt$/;

/** The module tree of a network with the published configuration in an epoch. */
export const describeForm = defineForm({
  section: "log",
  content: z.string(),
  path: NAME,
  async *compare({ path, content }) {
    const [file, backbone, epoch] = NAME.exec(path)!;
    const name = file.replace(/^\//, "");
    yield* attempt(name, () => checkTree(name, { backbone, epoch: Number(epoch), tree: content }));
  },
});

function checkTree(
  name: string,
  { backbone, epoch, tree }: {
    readonly backbone: string;
    readonly epoch: number;
    readonly tree: string;
  },
): Check {
  const type = backbone as "resnet50";
  const config = parseExperiment({ backbone: { type }, head: { kwargs: { weighted: true } } });
  const { trainEpoch, trainLayers } = config.backbone;
  using model = buildModel(config);
  freezeBackbone(model, epoch >= trainEpoch ? trainLayers : []);
  const lines = (text: string) => text.replace(/^\n+|\n+$/g, "").split("\n");
  return checkEqual(name, lines(describe(model, { color: true })), lines(tree));
}
