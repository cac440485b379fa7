import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { temporaryFolder } from "../../data/demo.ts";
import { hasMpirun, runJob } from "../../distributed/mpi_job.ts";
import { largestDifference, trained } from "../../distributed/train_job.ts";
import type { RankReport } from "./all_reduce_rank.ts";
import { missing } from "./emulated/device.ts";

const RANK = new URL("all_reduce_rank.ts", import.meta.url).pathname;
const CARDS = "SIAMBAN_EMULATED_DEVICES";

/** Runs something on a machine with so many emulated cards. */
async function withCards<T>(cards: number, run: () => Promise<T>): Promise<T> {
  Deno.env.set(CARDS, String(cards));
  try {
    return await run();
  } finally {
    Deno.env.delete(CARDS);
  }
}

/** What two ranks find, in order. */
async function reportsOf(cards: number): Promise<RankReport[]> {
  const { code, out, err } = await withCards(
    cards,
    () => runJob(2, ["run", "-A", "--no-check", RANK]),
  );
  assertEquals(code, 0, err + out);
  const reports = out.trim().split("\n").map((line) => JSON.parse(line) as RankReport);
  return reports.toSorted((a, b) => a.rank - b.rank);
}

function testRanks(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: !hasMpirun || missing !== undefined, fn });
}

/** What does not depend on the way. */
const SUMS = {
  large: true,
  small: [3, 4, -3],
  // 1 + 2^-7 + 2^-8 + 2^-15, to the nearer of 1 + 2^-7 and 1 + 2^-6.
  bfloat16: [1 + 2 ** -6, 6],
  changed: true,
  left: 0,
};

testRanks("Ranks with a card each add up between the cards, in recorded steps too", async () => {
  for (const { rank, without, ...report } of await reportsOf(2)) {
    // Twice 1 + 2, and twice 5 + 6.
    assertEquals(report, { ...SUMS, route: "nccl", recorded: [[6, 2], [22, 2]] });
    assertEquals(without[0], "host");
    assertMatch(
      without[1]!,
      rank === 1 ? /^Cannot open NCCL, install/ : /^Rank 1 cannot open NCCL/,
    );
  }
});

testRanks("Ranks that share a card add up through the host, and record no step", async () => {
  const shared = "Ranks 0 and 1 share a GPU, which NCCL refuses, " +
    "start as many processes as there are GPUs";
  for (const { rank: _, without: __, recorded, ...report } of await reportsOf(1)) {
    assertEquals(report, { ...SUMS, route: "host", reason: shared });
    assertStringIncludes(recorded as string, `Cannot record SiambanAllReduce: tensors of several`);
    assertStringIncludes(recorded as string, shared);
  }
});

testRanks(
  "2 ranks with a card each record steps, with the numbers of one that has the whole batch",
  async () => {
    await using folder = await temporaryFolder();
    // Norms see the batches of both; of each epoch three steps are taken launch by launch.
    const training = {
      device: "emulated",
      deterministic: true,
      syncBatchNorm: true,
      stepsPerEpoch: 4,
    } as const;
    const one = await trained(folder.path, 1, "one", { ...training, batchSize: 4 });
    const two = await withCards(
      2,
      () => trained(folder.path, 2, "two", { ...training, batchSize: 2 }),
    );
    const { name, difference } = largestDifference(one.tensors, two.tensors);
    assert(difference < 5e-3, `${name} differs by ${difference}`);
    for (const term of ["cls", "loc", "total"]) {
      assertAlmostEquals(two.summary.losses[term], one.summary.losses[term], 1e-4, term);
    }
    // Each checkpoint compares the parameters of the ranks bit by bit.
    assertEquals(two.summary.steps, 8);
    assert(!two.out.includes("pass through the host"), two.out);
    assert(!two.out.includes("launch by launch"), two.out);
  },
);
