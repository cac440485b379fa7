import type { BackendName } from "../../backends/mod.ts";
import {
  type GoldenModelFile,
  isGoldenModel,
  readGoldenModel,
  unknownSections,
} from "../golden_model.ts";
import type { Findings, Form, GoldenSource } from "../form.ts";
import { attempt, leavesOutSlow } from "../form.ts";
import { checkModel } from "../models.ts";

/** Whole networks. */
export const modelsForm: Form = {
  section: "models",
  match({ path, content }, context) {
    if (!isGoldenModel(content)) return undefined;
    return compare({ path, content, ...context });
  },
};

/** Parameters of a network that a slow backend trains in some minutes. */
const MOST_PARAMETERS: { readonly [backend in BackendName]?: number } = {
  reference: 12e6,
  emulated: 7e6,
};

async function* compare(
  { path, content, folder, options }: Omit<GoldenSource<GoldenModelFile>, "beside">,
): Findings {
  const stem = path.replace(/\.json$/, "");
  const tensors = `${stem}.safetensors`;
  folder.use(tensors, `${stem}.layers.json`);
  for (const section of unknownSections(content)) {
    yield { name: `${path}: ${section}`, reason: "its form is not known" };
  }
  if (!folder.has(tensors)) {
    yield { name: path, reason: `${tensors} is missing` };
    return;
  }
  const { [options.backend]: most = Infinity } = MOST_PARAMETERS;
  if (leavesOutSlow(options) && content.n_params > most) {
    const reason =
      `${content.n_params} parameters take the ${options.backend} backend long, add --slow`;
    yield { name: path, reason };
    return;
  }
  yield* attempt(content.name, async () => checkModel(await readGoldenModel(folder.pathOf(path))));
}
