import { assert, assertEquals, assertMatch } from "@std/assert";
import { toFileUrl } from "@std/path";
import { buildModel } from "../../src/models/mod.ts";
import { buildTracker } from "../../src/experiment/held_out.ts";
import { encodePng } from "../../src/image/encode.ts";
import { setTraining, stateDict } from "../../src/nn/mod.ts";
import { Rng } from "../../src/random.ts";
import { writeSafetensors } from "../../src/weights/mod.ts";
import { temporaryFolder } from "../data/demo.ts";
import { TraxClient } from "../support/trax_client.ts";
import { testTiny, tinyExperiment } from "../training/tiny.ts";

const SIZE = { width: 120, height: 90 };
const TASK = new URL("../../tasks/vot.ts", import.meta.url).pathname;

function noise(seed: number) {
  const rng = new Rng(seed);
  return { ...SIZE, data: Uint8Array.from({ length: 120 * 90 * 3 }, () => rng.integer(256)) };
}

/** A tiny trained tracker as files, and the process that serves it from an empty folder. */
async function prepare(folder: string) {
  const config = tinyExperiment();
  const model = buildModel(config, new Rng(1));
  setTraining(model, false);
  await writeSafetensors(`${folder}/w.safetensors`, stateDict(model));
  await Deno.writeTextFile(`${folder}/c.json`, JSON.stringify(config));
  await Deno.mkdir(`${folder}/empty`);
  const files = ["--config", `${folder}/c.json`, "--weights", `${folder}/w.safetensors`];
  const spawn = (options: Deno.CommandOptions, ...args: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", TASK, ...files, "--threads", "1", ...args],
      cwd: `${folder}/empty`,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
      ...options,
    }).spawn();
  return { config, model, spawn };
}

function clientOf({ stdin, stdout }: Deno.ChildProcess): TraxClient {
  return new TraxClient({ input: stdin, output: stdout });
}

testTiny("vot serves what the tracker finds, and nothing but the protocol", async () => {
  await using folder = await temporaryFolder();
  const { config, model, spawn } = await prepare(folder.path);
  using _ = model;
  using tracker = buildTracker(model, config);
  const start = performance.now();
  const process = spawn({}, "--protocol", "3", "--name", "tiny");
  const client = clientOf(process);
  const errors = new Response(process.stderr).text();
  const hello = await client.receive();
  // A client waits so long for this, and for every answer.
  assert(performance.now() - start < 30_000);
  assertEquals(hello?.properties["trax.name"], "tiny");
  const addresses: string[] = [];
  for (let i = 0; i < 4; i++) {
    const path = `${folder.path}/${i}.png`;
    await Deno.writeFile(path, await encodePng(noise(i)));
    addresses.push(toFileUrl(path).href);
  }
  const asked = performance.now();
  await client.send("initialize", [addresses[0], "30,20,24,30"]);
  assertEquals(await client.state(), [30, 20, 24, 30]);
  assert(performance.now() - asked < 30_000);
  tracker.init(noise(0), { x: 30, y: 20, w: 24, h: 30 });
  for (let i = 1; i < 4; i++) {
    await client.send("frame", [addresses[i]]);
    const { x, y, w, h } = tracker.track(noise(i)).box;
    assertEquals(await client.state(), [x, y, w, h].map((value) => Number(value.toFixed(4))));
  }
  await client.send("quit");
  assertEquals(await client.receive(), undefined);
  assertEquals((await process.status).code, 0);
  assertEquals(client.noise, []);
  assertMatch(await errors, /^Backend: /);
});

testTiny(
  "vot says at once that kernels must be compiled first, which a client would not wait for",
  async () => {
    await using folder = await temporaryFolder();
    const { model, spawn } = await prepare(folder.path);
    using _ = model;
    const env = {
      SIAMBAN_BUILD: `${folder.path}/empty`,
      SIAMBAN_NATIVE: "on",
      CUDA_VISIBLE_DEVICES: "-1",
    };
    const process = spawn({ env }, "--device", "auto");
    const client = clientOf(process), errors = new Response(process.stderr).text();
    assertEquals((await client.receive())?.type, "hello");
    await client.send("initialize", ["/none.jpg", "1,2,3,4"]);
    const last = await client.receive();
    assertEquals(last?.type, "quit");
    assertMatch(last!.properties["trax.reason"], /not compiled.*run "deno task build/);
    assertEquals((await process.status).code, 1);
    assertMatch(await errors, /run "deno task build --install" first/);
    assertEquals([...Deno.readDirSync(`${folder.path}/empty`)], []);
    await client.close().catch(() => {});
  },
);

testTiny("vot ends when its client goes away, and when it cannot load", async () => {
  await using folder = await temporaryFolder();
  const { model, spawn } = await prepare(folder.path);
  using _ = model;
  const process = spawn({});
  const client = clientOf(process);
  const errors = new Response(process.stderr).text();
  assertEquals((await client.receive())?.type, "hello");
  await client.close();
  assertEquals((await process.status).code, 0);
  assertMatch(await errors, /client went away/);
  assertEquals(await client.receive(), undefined);

  const broken = spawn({}, "--set", "head.kwargs.outChannels=16");
  const other = clientOf(broken);
  const told = new Response(broken.stderr).text();
  await other.receive();
  await other.send("initialize", ["/none.jpg", "1,2,3,4"]);
  const last = await other.receive();
  assertEquals(last?.type, "quit");
  assertMatch(last!.properties["trax.reason"], /shape/);
  assertEquals((await broken.status).code, 1);
  assertMatch(await told, /shape/);
  await other.close().catch(() => {});
});
