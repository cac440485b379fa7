import {
  type GoldenModelFile,
  isGoldenModel,
  readGoldenModel,
  unknownSections,
} from "../golden_model.ts";
import type { Findings, Form, GoldenSource } from "../form.ts";
import { attempt } from "../form.ts";
import { checkModel } from "../models.ts";

/** Whole networks. */
export const modelsForm: Form = {
  section: "models",
  match({ path, content }, context) {
    if (!isGoldenModel(content)) return undefined;
    return compare({ path, content, ...context });
  },
};

/** Parameters of a network that the plain TypeScript backend trains in some minutes. */
const MOST_PARAMETERS = 12e6;

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
  if (options.backend === "reference" && !options.slow && content.n_params > MOST_PARAMETERS) {
    const reason = `${content.n_params} parameters take the reference backend long, add --slow`;
    yield { name: path, reason };
    return;
  }
  yield* attempt(content.name, async () => checkModel(await readGoldenModel(folder.pathOf(path))));
}
