import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import {
  type JsonValue,
  newestWholeCheckpoint,
  readCheckpoint,
  writeCheckpoint,
} from "../../src/weights/checkpoint_file.ts";
import { hostTensor, toFloat32 } from "../../src/weights/host_tensor.ts";
import { readSafetensors, writeSafetensors } from "../../src/weights/safetensors.ts";
import { WeightsFileError } from "../../src/weights/weights_file_error.ts";
import { temporaryFolder } from "./fixtures.ts";

const tensors = new Map([
  ["momentum/w", hostTensor("float32", [2], Float32Array.of(1, 2))],
  ["count", hostTensor("int64", [], BigInt64Array.of(3n))],
]);
const state = { epoch: 3, generator: [4294967295, 0.1], name: "é", none: null } as const;

Deno.test("readCheckpoint() gives back tensors and state exactly", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "c.safetensors");
  await writeCheckpoint(path, { tensors, state });
  const checkpoint = await readCheckpoint(path);
  assertEquals([...checkpoint.tensors], [...tensors]);
  assertEquals(checkpoint.state, state);
  assertEquals((await readSafetensors(path)).tensors, checkpoint.tensors);
});

Deno.test("writeCheckpoint() refuses a state that JSON would change", () => {
  for (const lost of [NaN, Infinity, undefined, () => 1]) {
    const state = { deep: [{ rate: lost }] } as unknown as JsonValue;
    assertThrows(() => void writeCheckpoint("x", { tensors, state }), TypeError, 'at "rate"');
  }
});

Deno.test("readCheckpoint() detects every single damaged byte", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "c.safetensors");
  await writeCheckpoint(path, { tensors, state });
  const whole = await Deno.readFile(path);
  for (let at = 0; at < whole.byteLength; at++) {
    const damaged = whole.slice();
    damaged[at] ^= 1;
    await Deno.writeFile(path, damaged);
    const outcome = await readCheckpoint(path).catch((cause) => cause);
    if (outcome instanceof WeightsFileError) continue;
    // Harmless where it is padding that still reads as JSON; never with other content.
    assert(!(outcome instanceof Error), `byte ${at}: ${outcome}`);
    assertEquals([outcome.state, [...outcome.tensors]], [state, [...tensors]], `byte ${at}`);
  }
});

Deno.test("readCheckpoint() tells weights alone from a checkpoint", async () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "w.safetensors");
  await writeSafetensors(path, tensors);
  await assertRejects(() => readCheckpoint(path), WeightsFileError, "it holds weights only");
});

async function writeEpochs(folder: string, epochs: number[]): Promise<string[]> {
  const paths = epochs.map((epoch) => join(folder, `checkpoint_e${epoch}.safetensors`));
  for (const [i, path] of paths.entries()) {
    await writeCheckpoint(path, { tensors, state: { epoch: epochs[i] } });
  }
  return paths;
}

Deno.test("newestWholeCheckpoint() compares numbers in names as numbers", async () => {
  using folder = temporaryFolder();
  const [, ten] = await writeEpochs(folder.path, [9, 10]);
  await Deno.writeTextFile(join(folder.path, "model.safetensors"), "not a checkpoint");
  const { newest, damaged, unfinished } = await newestWholeCheckpoint(folder.path);
  assertEquals([newest?.path, newest?.state], [ten, { epoch: 10 }]);
  assertEquals([damaged, unfinished], [[], []]);
});

Deno.test("newestWholeCheckpoint() names damaged ones and takes the one before", async () => {
  using folder = temporaryFolder();
  const [first, second, third] = await writeEpochs(folder.path, [1, 2, 3]);
  await Deno.truncate(third, (await Deno.stat(third)).size - 1);
  const bytes = await Deno.readFile(second);
  bytes[bytes.byteLength - 1] ^= 1;
  await Deno.writeFile(second, bytes);
  const { newest, damaged } = await newestWholeCheckpoint(folder.path);
  assertEquals(newest?.path, first);
  assertEquals(damaged.map(({ path }) => path), [third, second]);
  assert(damaged.every(({ path, reason }) => reason.includes(path)));
});

Deno.test("newestWholeCheckpoint() finds none in an empty folder", async () => {
  using folder = temporaryFolder();
  assertEquals(await newestWholeCheckpoint(folder.path), { damaged: [], unfinished: [] });
});

Deno.test("newestWholeCheckpoint() finds a whole one after every kill", async () => {
  using folder = temporaryFolder();
  const script = fromFileUrl(new URL("./checkpoint_writer.ts", import.meta.url));
  for (const waitMs of [0, 3, 7, 11, 16, 22]) {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", script, folder.path],
      stdout: "piped",
    }).spawn();
    let done = "";
    for await (const piece of child.stdout.pipeThrough(new TextDecoderStream())) {
      done += piece;
      if (!/^[3-9]$/m.test(done)) continue;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      break;
    }
    child.kill("SIGKILL");
    await child.status;

    const { newest, damaged } = await newestWholeCheckpoint(folder.path);
    assertEquals(damaged, []);
    const { epoch } = newest!.state as { epoch: number };
    assert(epoch >= Number(done.trim().split("\n").at(-1)), "a finished checkpoint is gone");
    assertEquals(new Set(toFloat32(newest!.tensors.get("weight")!)), new Set([epoch]));
  }
});
