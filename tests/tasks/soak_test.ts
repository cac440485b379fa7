import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { join } from "@std/path";
import { canBound } from "../../tasks/soak/bounded_folder.ts";
import { checkpointDigest } from "../../tasks/soak/checkpoint_digest.ts";
import { memorySlope } from "../../tasks/soak/memory_slope.ts";
import { hostTensor, writeCheckpoint } from "../../src/weights/mod.ts";
import { temporaryFolder } from "../data/demo.ts";

const root = new URL("../../", import.meta.url);

Deno.test("soak comes to the undisturbed training's bits, whatever was done to it", async () => {
  await using folder = await temporaryFolder();
  const kinds = ["checkpoint-cut", await canBound() ? "disk-full" : "file-limit"];
  const { code, stdout, stderr } = await new Deno.Command("deno", {
    args: [
      ...["task", "soak", "--faults", "2", "--only", kinds.join(), "--seed", "3"],
      ...["--dir", folder.path, "--json"],
    ],
    cwd: root,
    env: { NO_COLOR: "1" },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals(code, 0, out + err);
  const report = JSON.parse(out.trim().split("\n").at(-1)!);
  assertEquals(Object.keys(report.injected).sort(), kinds.sort());
  assertEquals([report.survived, report.failures, report.bitsEqual], [2, [], true]);
  assertMatch(out, /bits +equal at the ends of (\d+) of \1 epochs/);
});

Deno.test("checkpointDigest() sees each bit of a result, and no time", async () => {
  await using folder = await temporaryFolder();
  const digestOf = async (weight: number, total: number, seconds: number) => {
    const path = join(folder.path, "checkpoint_e1.safetensors");
    const averages = { total_loss: { mean: total }, batch_time: { mean: seconds } };
    await writeCheckpoint(path, {
      tensors: new Map([["a", hostTensor("float32", [1], Float32Array.of(weight))]]),
      state: { position: { epoch: 1, step: 0 }, averages },
    });
    return await checkpointDigest(path);
  };
  const digest = await digestOf(1, 0.5, 3);
  assertEquals(await digestOf(1, 0.5, 4), digest);
  assertNotEquals(await digestOf(1 + 2 ** -23, 0.5, 3), digest);
  assertNotEquals(await digestOf(1, 0.5 + 2 ** -52, 3), digest);
});

Deno.test("memorySlope() is that of the later half", () => {
  const samples = [900, 300, 100, 101, 102, 103].map((mebibytes, i) => ({
    steps: 200 * i,
    mebibytes,
  }));
  assertEquals(memorySlope(samples), 5);
});
