import {
  ExperimentError,
  formatExperiment,
  parseDraft,
  parseYaml,
} from "../../../src/config/mod.ts";
import { bytesOfText, demand, fixtures, type Target } from "../target.ts";

const OURS = `
training: { batchSize: 8, epochs: 3, seed: 1 }
dataset:
  names: [VID]
backbone: { type: resnet50, kwargs: { usedLayers: [2, 3, 4] } }
`;

const yaml: Target = {
  name: "yaml",
  corpus: async () => [
    bytesOfText(OURS),
    bytesOfText('{"training": {"batchSize": 8}}'),
    bytesOfText("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n<<: {training: {seed: 1}}\n"),
    ...await fixtures("config", /\.yaml$/),
  ],
  run(bytes) {
    const config = parseDraft(parseYaml(new TextDecoder().decode(bytes), "config.yaml"));
    demand(typeof formatExperiment(config) === "string", "settings that can be written");
  },
  allowedErrors: [ExperimentError],
  dictionary: [
    ...[
      "&a ",
      "*a",
      "<<: ",
      "!!js/function ",
      "!!python/object/apply:os.system ",
      "? ",
      "| \n",
      "> \n",
    ],
    ...[
      "__proto__: ",
      "constructor: ",
      "TRAIN:\n",
      "  BATCH_SIZE: ",
      ": ",
      "- ",
      "%YAML 1.1\n---\n",
    ],
  ],
};

export const YAML_TARGETS = [yaml];
