import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { formatExperiment, formatReferenceYaml } from "../../src/config/dump.ts";
import { loadExperiment } from "../../src/config/load.ts";
import { parseExperiment } from "../../src/config/parse.ts";
import { ExperimentError } from "../../src/config/problems.ts";

const configs = fromFileUrl(new URL("../../configs", import.meta.url));
const fixtures = fromFileUrl(new URL("../fixtures/config", import.meta.url));

async function withFile(name: string, text: string, use: (path: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    const path = join(folder, name);
    await Deno.writeTextFile(path, text);
    await use(path);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function messageOf(path: string, overrides: string[] = []): Promise<string> {
  return (await assertRejects(() => loadExperiment(path, { overrides }), ExperimentError)).message;
}

const SHIPPED: Record<string, { backbone: string; scoreSize: number; names: number }> = {
  siamban_r50_l234: { backbone: "resnet50", scoreSize: 25, names: 6 },
  siamban_r50_l234_otb: { backbone: "resnet50", scoreSize: 25, names: 6 },
  siamban_mobilenetv2: { backbone: "mobilenetv2", scoreSize: 25, names: 6 },
  siamban_alexnet: { backbone: "alexnet", scoreSize: 17, names: 6 },
};

for (const [name, { backbone, scoreSize, names }] of Object.entries(SHIPPED)) {
  Deno.test(`loadExperiment() reads configs/${name}.ts`, async () => {
    const { config, ignored } = await loadExperiment(join(configs, `${name}.ts`));
    assertEquals(config.name, name);
    assertEquals(config.backbone.type, backbone);
    assertEquals(config.training.scoreSize, scoreSize);
    assertEquals(config.dataset.names.length, names);
    assertEquals(ignored, []);
  });
}

Deno.test("loadExperiment() reads configs/quickstart.ts, which trains on the demonstration set", async () => {
  const { config } = await loadExperiment(join(configs, "quickstart.ts"));
  assertEquals(config.dataset.names, ["DEMO"]);
  assertEquals(config.dataset.sets.DEMO.root, "demo/crop511");
});

Deno.test("loadExperiment() gives the OTB model its tracking values and gray pairs", async () => {
  const { config } = await loadExperiment(join(configs, "siamban_r50_l234_otb.ts"));
  assertEquals(config.dataset.gray, 0.2);
  assertEquals(config.tracking.penaltyK, 0.020530504470126613);
  assertEquals(config.tracking.windowInfluence, 0.3850733326567302);
  assertEquals(config.tracking.scaleLr, 0.4730770315643308);
});

Deno.test("loadExperiment() reads YAML and applies overrides", async () => {
  const path = join(fixtures, "siamban_r50_l234.yaml");
  const { config } = await loadExperiment(path, { overrides: ["training.batchSize=8"] });
  assertEquals(config.training.batchSize, 8);
  assertEquals(config.training.epochs, 20);
});

for (const name of [...Object.keys(SHIPPED), "quickstart"]) {
  Deno.test(`formatExperiment() of ${name} is read back from .json, in both kinds of keys`, async () => {
    const { config } = await loadExperiment(join(configs, `${name}.ts`));
    await withFile("a.json", formatExperiment(config), async (path) => {
      assertEquals((await loadExperiment(path)).config, config);
    });
    await withFile("a.yaml", formatReferenceYaml(config), async (path) => {
      assertEquals(await loadExperiment(path), { config, ignored: [] });
    });
  });
}

Deno.test("formatReferenceYaml() quotes text that reads as something else", async () => {
  const config = parseExperiment({ name: "off", training: { resume: "1e5", pretrained: "~" } });
  await withFile("a.yaml", formatReferenceYaml(config), async (path) => {
    assertEquals((await loadExperiment(path)).config, config);
  });
});

Deno.test("formatExperiment() indents by 4", async () => {
  const { config } = await loadExperiment(join(configs, "siamban_r50_l234.ts"));
  assertStringIncludes(formatExperiment(config), '{\n    "name": "siamban_r50_l234",\n');
});

Deno.test("loadExperiment() lists the shipped experiments for a missing file", async () => {
  const message = await messageOf("configs/quikstart.ts");
  assertStringIncludes(message, "no such file, expected one of configs/nanotrack_v1.ts, ");
  assertStringIncludes(message, 'did you mean "configs/quickstart.ts"');
  assertStringIncludes(await messageOf(configs), "no such file");
});

Deno.test("loadExperiment() refuses other endings, missing exports and broken modules", async () => {
  await withFile("a.toml", "", async (path) => {
    assertStringIncludes(await messageOf(path), "ends in .ts, .js, .json, .yaml or .yml");
  });
  await withFile("a.ts", "export const config = {};", async (path) => {
    assertStringIncludes(await messageOf(path), '"default" is not exported');
  });
  await withFile("b.js", "export default {", async (path) => {
    assertStringIncludes(await messageOf(path), "cannot be imported (");
  });
});

Deno.test("loadExperiment() names the file in every error", async () => {
  await withFile("a.ts", "export default { training: { batchSize: '8' } };", async (path) => {
    assertEquals(
      await messageOf(path),
      `Cannot use ${path}: "training.batchSize" is "8", expected a whole number of at least 1`,
    );
  });
  await withFile("a.json", '{\n\t"training": {\n\t\t"batchSize": 0\n\t}\n}', async (path) => {
    assertStringIncludes(await messageOf(path), `${path}: line 3: "training.batchSize" is 0`);
  });
});
