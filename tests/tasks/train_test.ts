import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { main } from "../../tasks/train.ts";
import { prepareDemo, temporaryFolder } from "../data/demo.ts";

const task = new URL("../../tasks/train.ts", import.meta.url).pathname;

function command(args: readonly string[]): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", task, "--threads", "1", ...args],
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  });
}

async function run(...args: string[]) {
  const { code, stdout, stderr } = await command(args).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { code, out, err };
}

/** A narrow network in the words of the published configuration, and data for it. */
async function prepareYaml(folder: string): Promise<string> {
  await prepareDemo(`${folder}/demo`, { videos: 3, frames: 6 });
  const path = `${folder}/config.yaml`;
  await Deno.writeTextFile(
    path,
    `
META_ARC: "narrow"
BACKBONE:
    TYPE: "alexnetlegacy"
    KWARGS:
        width_mult: 0.05
    PRETRAINED: ''
    TRAIN_LAYERS: ['features']
    TRAIN_EPOCH: 1
    LAYERS_LR: 0.1
ADJUST:
    ADJUST: false
BAN:
    BAN: true
    TYPE: 'DepthwiseBAN'
    KWARGS:
        in_channels: 12
        out_channels: 8
        cls_out_channels: 2
POINT:
    STRIDE: 8
TRACK:
    TYPE: 'SiamBANTracker'
    BASE_SIZE: 0
TRAIN:
    EPOCH: 3
    BATCH_SIZE: 2
    NUM_WORKERS: 0
    BASE_LR: 0.005
    PRINT_FREQ: 2
    OUTPUT_SIZE: 17
    BASE_SIZE: 0
    LOG_DIR: '${folder}/logs'
    SNAPSHOT_DIR: '${folder}/snapshot'
    LR_WARMUP:
        WARMUP: false
DATASET:
    NAMES: ['DEMO']
    DEMO:
        ROOT: '${folder}/demo/crop511'
        ANNO: '${folder}/demo/train.json'
        FRAME_RANGE: 5
        NUM_USE: 8
    VIDEOS_PER_EPOCH: 8
`,
  );
  return path;
}

Deno.test("train takes a configuration of the published form, and ends with a line of JSON", async () => {
  await using folder = await temporaryFolder();
  const config = await prepareYaml(folder.path);
  const { code, out, err } = await run("--config", config, "--json");
  assertEquals(code, 0, err);
  const lines = out.trimEnd().split("\n");
  const { experiment, steps, losses, pairsPerSecond, backend, checkpoint } = JSON.parse(
    lines.at(-1)!,
  );
  assertEquals([experiment, steps], ["narrow", 12]);
  assert(losses.total > 0 && pairsPerSecond > 0);
  assertMatch(backend, /^(onednn|reference)$/);
  assertEquals(checkpoint, `${folder.path}/snapshot/checkpoint_e3.safetensors`);
  for (const line of ["start training backbone.", "epoch: 2", "epoch: 3", "Done"]) {
    assert(lines.includes(line), line);
  }
  assertMatch(out, /^Epoch: \[1\]\[2\/4\] lr: 0\.\d{6}$/m);
  assertMatch(out, /^Progress: 12 \/ 12 \[100%\], Speed: /m);
  assertMatch(out, /^ {2}losses {6}total \d+\.\d{3} -> \d+\.\d{3} \(cls /m);
  assert(!out.includes("\x1b") && !out.includes("\r"), "escape codes, but no terminal");
});

Deno.test("train goes on after it was killed, from the newest whole checkpoint", async () => {
  await using folder = await temporaryFolder();
  const config = await prepareYaml(folder.path);
  const args = ["--config", config, "--set", "training.checkpointEvery=1", "--resume", "auto"];
  const child = command(args).spawn();
  await readUntil(child.stdout, "checkpoint_e1.step1.safetensors");
  child.kill("SIGKILL"); // in the middle of the next step or its checkpoint
  await Promise.all([child.status, child.stderr.cancel()]);
  const { code, out, err } = await run(...args, "--json");
  assertEquals(code, 0, err);
  assertStringIncludes(out, `resume from ${folder.path}/snapshot/checkpoint_e`);
  const { steps, checkpoint } = JSON.parse(out.trimEnd().split("\n").at(-1)!);
  assert(steps < 8, `${steps} steps`);
  assertEquals(checkpoint, `${folder.path}/snapshot/checkpoint_e3.safetensors`);
});

async function readUntil(stream: ReadableStream<Uint8Array>, wanted: string): Promise<void> {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  for (let text = ""; !text.includes(wanted);) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`The program ended before it told of ${wanted}: ${text}`);
    text += decoder.decode(value, { stream: true });
  }
  await reader.cancel();
}

Deno.test("train fails with what is wrong and no stack", async () => {
  const { code, err } = await run("--set", "training.batchSzie=3");
  assertEquals(code, 1);
  assertStringIncludes(err, '"training.batchSzie" is 3, an unknown key');
  assertStringIncludes(err, 'did you mean "training.batchSize"');
  assert(!/^ +at /m.test(err), err);
});

Deno.test("train says what is wrong with its arguments", async () => {
  const refusals: readonly (readonly [readonly string[], string])[] = [
    [["--fast"], "Cannot train: unknown option --fast\nUsage: deno task train"],
    [["--resume"], "--resume is without a value"],
    [["--threads", "many"], '"training.threads" is "many", expected a whole number'],
    [["--device", "abacus"], '"training.device" is "abacus", expected one of auto, cuda'],
    [["--set", "training.epochs=none"], '"training.epochs" is "none", expected a whole number'],
    [
      ["--config", "none.yaml"],
      '"--config" is "none.yaml", no such file, expected one of configs/',
    ],
    [["a.yaml", "b.yaml"], "one experiment is enough, but b.yaml is named too"],
  ];
  for (const [args, message] of refusals) {
    await assertRejects(() => main([...args]), Error, message);
  }
});
