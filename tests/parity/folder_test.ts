import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { useBackend } from "../../src/backends/mod.ts";
import type { Check } from "../../src/parity/check.ts";
import {
  checkFolder,
  type FolderOptions,
  isCheck,
  type SectionFinding,
} from "../../src/parity/mod.ts";
import { BACKENDS } from "../support/backends.ts";

const FIXTURES = new URL("../fixtures/", import.meta.url).pathname;

async function findingsIn(
  root: string,
  options: Partial<FolderOptions> = {},
): Promise<SectionFinding[]> {
  const { backend = "reference" } = options;
  await using _ = await useBackend(backend, backend === "onednn" ? { winograd: false } : {});
  return await Array.fromAsync(checkFolder(root, { ...options, backend }));
}

const failuresOf = (findings: readonly SectionFinding[]) =>
  findings.filter(isCheck).filter(({ passed }) => !passed).map(({ name }) => name);

const reasonsOf = (findings: readonly SectionFinding[]) =>
  new Map(findings.flatMap((finding) => isCheck(finding) ? [] : [[finding.name, finding.reason]]));

/** A folder of its own with files of the fixtures, under new names. */
async function copyOf(
  files: Readonly<Record<string, string>>,
  use: (root: string) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    for (const [from, to] of Object.entries(files)) {
      const path = join(root, to);
      await Deno.mkdir(join(path, ".."), { recursive: true });
      await Deno.copyFile(join(FIXTURES, from), path);
    }
    await use(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

for (const { name: backend, available } of BACKENDS) {
  Deno.test({
    name: `checkFolder() finds the program equal to a folder with parts of all forms on ${backend}`,
    ignore: !available,
    async fn() {
      const only = ["formula", "ops", "data", "images", "lr", "log", "checkpoints", "eval"];
      const findings = await findingsIn(FIXTURES, { backend, only });
      assertEquals(failuresOf(findings), []);
      for (const section of only) {
        const count = findings.filter((one) => one.section === section && isCheck(one)).length;
        assert(count > 5, `${section} has ${count} checks`);
      }
    },
  });
}

Deno.test("checkFolder() knows files by what they hold, not by their names", () =>
  copyOf({
    "ops/xcorr.json": "some/where/b7.json",
    "ops/xcorr.safetensors": "some/where/b7.safetensors",
    "lr/lr.json": "rates of ours.json",
  }, async (root) => {
    const findings = await findingsIn(root);
    assertEquals(failuresOf(findings), []);
    assertEquals([...new Set(findings.map(({ section }) => section))], ["ops", "lr"]);
    assertEquals(reasonsOf(findings).size, 0);
  }));

Deno.test("checkFolder() tells what it does not know or cannot compare", () =>
  copyOf({
    "images/images.json": "images.json",
    "images/gray.png": "gray.png",
    "ops/losses.json": "losses.json",
    "config/siamban_r50_l234.yaml": "strange.yaml",
  }, async (root) => {
    await Deno.writeTextFile(join(root, "damaged.json"), "{");
    await Deno.writeTextFile(join(root, "README.md"), "for people");
    const findings = await findingsIn(root);
    assertEquals(findings.filter(isCheck), []);
    const reasons = reasonsOf(findings);
    assertStringIncludes(reasons.get("gray gray.png")!, "patch.png is missing");
    assertStringIncludes(reasons.get("select_iou_loss loc.dense")!, '"loc.dense.label" is missing');
    assertStringIncludes(reasons.get("strange.yaml")!, "not known");
    assertStringIncludes(reasons.get("damaged.json")!, "not known");
    assert(!reasons.has("README.md") && !reasons.has("gray.png"));
  }));

/** Changes that a comparison must notice: files, what is written in one, and the check that fails. */
const CHANGES: readonly {
  readonly files: readonly string[];
  readonly in: string;
  readonly replace: readonly [RegExp, string];
  readonly fails: string;
}[] = [
  {
    files: ["parity/formula.json"],
    in: "formula.json",
    replace: [/("fnv1a": \{\s*"a": \d+)\d/, "$17"],
    fails: "fnv1a",
  },
  {
    files: ["ops/losses.json", "ops/losses.safetensors"],
    in: "losses.json",
    replace: [/("kind": "normal",[^}]*"loss": 0\.77)07/, "$109"],
    fails: "select_iou_loss loc.normal",
  },
  {
    files: ["ops/layers.json", "ops/layers.safetensors"],
    in: "layers.json",
    replace: [/("norm_before_clip": \[\s*2\.55)90/, "$191"],
    fails: "sgd.0",
  },
  {
    files: ["geometry/boxes.json"],
    in: "boxes.json",
    replace: [/("iou": 0\.2172560)9/, "$18"],
    fails: "IoU",
  },
  {
    files: ["geometry/point_grid.json"],
    in: "point_grid.json",
    replace: [/"first": 31/, '"first": 30'],
    fails: "points.8.25.127",
  },
  {
    files: ["data/sub_dataset.json"],
    in: "sub_dataset.json",
    replace: [/("search_candidates": \[\s*)0/, "$11"],
    fails: "pair_windows",
  },
  {
    files: ["lr/lr.json"],
    in: "lr.json",
    replace: [/("lr_spaces": ?\[0\.001)/, "$100000001"],
    fails: "config_siamban_r50_l234",
  },
  {
    files: ["log/log.json"],
    in: "log.json",
    replace: [/Progress: 20 \/ 1000 \[2%\]/, "Progress: 20 / 1000 [3%]"],
    fails: "print_speed",
  },
  {
    files: ["checkpoints/hostile/expected.json", "checkpoints/hostile/control_valid.pth"],
    in: "expected.json",
    replace: [/"must": "load"/, '"must": "error"'],
    fails: "hostile control_valid.pth",
  },
  {
    files: ["checkpoints/load_cases.json"],
    in: "load_cases.json",
    replace: [/("changed_keys": \[\s*")backbone/, "$1neckbone"],
    fails: "load exact",
  },
  {
    files: ["eval/got10k.json"],
    in: "got10k.json",
    replace: [/("ao": ?0\.3865)4/, "$15"],
    fails: "got10k sequence 0",
  },
];

for (const { files, in: file, replace: [pattern, replacement], fails } of CHANGES) {
  Deno.test(`checkFolder() fails ${fails} where ${file} says something else`, () =>
    copyOf(
      Object.fromEntries(files.map((path) => [path, path.split("/").at(-1)!])),
      async (root) => {
        const path = join(root, file);
        const before = await Deno.readTextFile(path), after = before.replace(pattern, replacement);
        assert(after !== before, "nothing is replaced");
        await Deno.writeTextFile(path, after);
        assertEquals(failuresOf(await findingsIn(root)), [fails]);
      },
    ));
}

Deno.test("checkFolder() fails a picture with other pixels", () =>
  copyOf({
    "images/images.json": "images.json",
    "images/patch.png": "patch.png",
    "images/blur.5.png": "gray.png",
  }, async (root) => {
    const findings = await findingsIn(root);
    assertEquals(failuresOf(findings), ["gray gray.png"]);
  }));

Deno.test("checkFolder() fails an op where one number of a tensor is another", () =>
  copyOf({
    "ops/xcorr.json": "xcorr.json",
    "ops/xcorr.safetensors": "xcorr.safetensors",
  }, async (root) => {
    const path = join(root, "xcorr.safetensors");
    const bytes = await Deno.readFile(path);
    const view = new DataView(bytes.buffer);
    const header = Number(view.getBigUint64(0, true));
    const text = new TextDecoder().decode(bytes.subarray(8, 8 + header));
    const [begin] = JSON.parse(text)["xcorr_fast.1.grad_z"].data_offsets;
    const at = 8 + header + begin;
    view.setFloat32(at, view.getFloat32(at, true) + 0.01, true);
    await Deno.writeFile(path, bytes);
    const findings = await findingsIn(root);
    assertEquals(failuresOf(findings), ["xcorr_fast.1"]);
    const failure = findings.find(({ name }) => name === "xcorr_fast.1") as Check;
    assertStringIncludes(failure.detail!, "grad_z");
    assert(failure.error > failure.tolerance);
  }));

Deno.test("checkFolder() goes on after a case that throws", () =>
  copyOf({ "lr/lr.json": "lr.json" }, async (root) => {
    const path = join(root, "lr.json");
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace(/"TYPE": ?"log"/, '"TYPE": "zigzag"'));
    const findings = await findingsIn(root);
    const [failure, ...others] = findings.filter(isCheck).filter(({ passed }) => !passed);
    assertEquals([failure.name, others.length], ["config_siamban_r50_l234", 0]);
    assertStringIncludes(failure.detail!, "zigzag");
    assert(findings.length > 50);
  }));
