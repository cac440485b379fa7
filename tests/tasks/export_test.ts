import { assertEquals, assertRejects } from "@std/assert";
import { main } from "../../tasks/export.ts";
import { saveCheckpoint } from "../../src/training/checkpoint.ts";
import { Trainer } from "../../src/training/trainer.ts";
import { readWeights } from "../../src/weights/mod.ts";
import { temporaryFolder } from "../data/demo.ts";
import { testTiny, tinyExperiment, tinyModel } from "../training/tiny.ts";

const task = new URL("../../tasks/export.ts", import.meta.url).pathname;

testTiny("export writes a snapshot and ends with a line of JSON", async () => {
  await using folder = await temporaryFolder();
  const config = tinyExperiment();
  using model = tinyModel(config);
  using trainer = new Trainer(model, { config, stepsPerEpoch: 1 });
  const from = await saveCheckpoint(trainer, { folder: folder.path, config, stepsPerEpoch: 1 });
  const [file, to] = [`${folder.path}/tiny.json`, `${folder.path}/tiny.pth`];
  await Deno.writeTextFile(file, JSON.stringify(config));
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", task, from, to, "--config", file, "--json"],
  }).output();
  assertEquals(success, true);
  const lines = new TextDecoder().decode(stdout).trimEnd().split("\n");
  const { path, weights, momenta } = JSON.parse(lines.at(-1)!);
  assertEquals([path, weights, momenta], [to, 75, 42]);
  assertEquals((await readWeights(to)).size, 75);
});

Deno.test("export says what is wrong with its arguments", async () => {
  const refusals: readonly (readonly [readonly string[], string])[] = [
    [["a.safetensors"], "two files are needed, the checkpoint and the new one"],
    [["a", "b", "c", "--config", "d"], "two files are needed"],
    [["a.safetensors", "b.pth"], "--config is needed"],
    [["a.safetensors", "b.pth", "--fast"], "unknown option --fast"],
    [["a.safetensors", "b.onnx", "--config", "configs/quickstart.ts"], "ends in .pth or"],
  ];
  for (const [args, message] of refusals) {
    await assertRejects(() => main([...args]), Error, message);
  }
});
