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

Deno.test("prepareMissing() says when a prepared set's source has changed", async () => {
  await using folder = await temporaryFolder();
  const paths = { root: `${folder.path}/demo/crop511`, anno: `${folder.path}/demo/train.json` };
  const config = placed(folder.path, paths);
  await Array.fromAsync(prepareMissing(config));
  const source = { ...config.dataset.sets.DEMO.source!, seed: 99 };
  const DEMO = { ...config.dataset.sets.DEMO, source };
  const changed = { ...config, dataset: { ...config.dataset, sets: { DEMO } } };
  await assertRejects(
    () => Array.fromAsync(prepareMissing(changed)),
    RangeError,
    "was prepared from",
  );
  // Annotations without crops of their own are whole, but their preparation has not ended.
  const claim = JSON.parse(await Deno.readTextFile(`${folder.path}/demo/prepare.json`));
  const { done: _, ...begun } = claim;
  await Deno.writeTextFile(`${folder.path}/demo/prepare.json`, JSON.stringify(begun));
  const again = await Array.fromAsync(prepareMissing(config));
  assertEquals(again.at(-1)?.report.kind, "done");
});

Deno.test("prepareMissing() refuses an annotation file that it would not write", async () => {
  await using folder = await temporaryFolder();
  const paths = { root: `${folder.path}/demo/crop511`, anno: `${folder.path}/demo/boxes.json` };
  await assertRejects(
    () => Array.fromAsync(prepareMissing(placed(folder.path, paths))),
    RangeError,
    'demo/train.json", which preparation writes',
  );
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
