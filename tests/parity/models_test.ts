import { assertEquals, AssertionError } from "@std/assert";
import { readGoldenModel } from "../../src/parity/golden_model.ts";
import { checkModel, MODEL_SECTIONS, type ModelSection } from "../../src/parity/models.ts";
import { BACKENDS } from "../support/backends.ts";
import { MODEL_NAMES } from "../support/golden_models.ts";

const folder = new URL("../../../shared/golden/models/", import.meta.url);
const exists = await Deno.stat(folder).then(() => true, () => false);

/**
 * The plain backend takes the small network only, and what one pass shows; the emulated device leaves the
 * largest one to `deno task parity`, which takes minutes there.
 */
function sectionsFor(backend: string, model: string): readonly ModelSection[] {
  if (backend === "emulated" && model === "resnet50") return [];
  if (backend !== "reference") return MODEL_SECTIONS;
  return model === "alexnet_upchannel" ? ["eval", "eval_bn_all_params"] : [];
}

for (const backend of BACKENDS) {
  for (const name of MODEL_NAMES) {
    const sections = sectionsFor(backend.name, name);
    if (sections.length === 0) continue;
    Deno.test({
      name: `${name} equals the published network on ${backend.name}: ${sections.join(", ")}`,
      ignore: !exists || !backend.available,
      async fn() {
        await using _ = await backend.use();
        const golden = await readGoldenModel(new URL(`${name}.json`, folder).pathname);
        const failed: string[] = [];
        let count = 0;
        for await (const check of checkModel(golden, { sections })) {
          count++;
          if (check.passed || check.undecided) continue;
          failed.push(`${check.name}: ${check.error} > ${check.tolerance}, ${check.detail}`);
        }
        if (failed.length > 0) throw new AssertionError(failed.join("\n"));
        assertEquals(count >= 3 + 3 * sections.length, true, `${count} checks`);
      },
    });
  }
}
