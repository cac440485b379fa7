import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { strFromU8, unzipSync } from "fflate";
import { ResultError, TrackerResults } from "../../src/evaluation/results.ts";
import { packSubmission, readSubmission } from "../../src/evaluation/submission.ts";

const box = { x: 1, y: 2, w: 3, h: 4 };

function contentOf(archive: Uint8Array): Record<string, string> {
  return Object.fromEntries(
    Object.entries(unzipSync(archive)).map(([name, bytes]) => [name, strFromU8(bytes)]),
  );
}

Deno.test("packSubmission() writes GOT-10k's files for each repetition", async () => {
  const sequence = {
    name: "GOT-10k_Test_000001",
    runs: [[box], [{ ...box, x: 1.23456 }]],
    times: [[0.5], [0.25]],
  };
  assertEquals(contentOf(await packSubmission([sequence], "GOT-10k")), {
    "GOT-10k_Test_000001/GOT-10k_Test_000001_001.txt": "1.0000,2.0000,3.0000,4.0000\n",
    "GOT-10k_Test_000001/GOT-10k_Test_000001_002.txt": "1.2346,2.0000,3.0000,4.0000\n",
    "GOT-10k_Test_000001/GOT-10k_Test_000001_time.txt": "0.500000,0.250000\n",
  });
});

Deno.test("packSubmission() writes TrackingNet's files", async () => {
  const archive = await packSubmission([{ name: "v", runs: [[box, box]] }], "TrackingNet");
  assertEquals(contentOf(archive), { "v.txt": "1.00,2.00,3.00,4.00\n1.00,2.00,3.00,4.00\n" });
});

Deno.test("readSubmission() asks for an answer to every picture", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(folder, "v"));
    await Deno.writeTextFile(join(folder, "v", "v_001.txt"), "1,2,3,4\n1,2,3,4\n");
    await Deno.writeTextFile(join(folder, "v", "v_time.txt"), "0.1\n0.2\n");
    const tracker = new TrackerResults(folder);
    const sequence = { name: "v", frames: ["1", "2"], truth: [box], attributes: [] };
    const [submitted] = await readSubmission(tracker, [sequence]);
    assertEquals(submitted, { name: "v", runs: [[box, box]], times: [[0.1, 0.2]] });
    const longer = { ...sequence, frames: ["1", "2", "3"] };
    await assertRejects(() => readSubmission(tracker, [longer]), ResultError, "expected 3");
    const unknown = { ...sequence, frames: [] };
    assertEquals((await readSubmission(tracker, [unknown]))[0].runs[0].length, 2);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
