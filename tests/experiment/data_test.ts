import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { dirname, relative } from "@std/path";
import { openDataset, prepareMissing } from "../../src/experiment/data.ts";
import { temporaryFolder } from "../data/demo.ts";
import { smallExperiment } from "./small_run.ts";

/** With another place for the set's files. */
function placed(folder: string, { root, anno }: { root: string; anno: string }) {
  const config = smallExperiment(folder);
  const DEMO = { ...config.dataset.sets.DEMO, root, anno };
  return { ...config, dataset: { ...config.dataset, sets: { DEMO } } };
}

Deno.test("prepareMissing() prepares a set once, whatever way its path is written", async () => {
  await using folder = await temporaryFolder();
  const near = relative(Deno.cwd(), folder.path);
  const config = placed(folder.path, {
    root: `${folder.path}/./demo/crop511`,
    anno: `${near}/demo/train.json`,
  });
  const first = await Array.fromAsync(prepareMissing(config));
  assertEquals([first.at(-1)!.set, first.at(-1)!.report.counts.written], ["DEMO", 24]);
  assertEquals(await Array.fromAsync(prepareMissing(config)), []);
  assertEquals(openDataset(config).samplesPerEpoch, 8);
});

Deno.test("prepareMissing() refuses crops that would not lie beside the annotations", async () => {
  await using folder = await temporaryFolder();
  const anno = `${folder.path}/demo/train.json`;
  await assertRejects(
    () => Array.fromAsync(prepareMissing(placed(folder.path, { root: "elsewhere", anno }))),
    RangeError,
    `its root is "elsewhere", expected "${dirname(anno)}/crop511"`,
  );
});

Deno.test("openDataset() names the set whose annotations are missing", async () => {
  await using folder = await temporaryFolder();
  assertThrows(
    () => openDataset(smallExperiment(folder.path)),
    Error,
    "Cannot open dataset DEMO: No such file or directory",
  );
});
