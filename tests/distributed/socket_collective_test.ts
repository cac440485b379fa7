import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import { findLaunch } from "../../src/distributed/launcher.ts";
import { SocketCollective } from "../../src/distributed/socket_collective.ts";
import type { RankReport } from "../backends/cuda/all_reduce_rank.ts";
import { missing } from "../backends/cuda/emulated/device.ts";
import { temporaryFolder } from "../data/demo.ts";
import { freePort, runInEach, torchrunEnvironment } from "./torchrun_job.ts";

const RANK = new URL("socket_rank.ts", import.meta.url).pathname;
const args = ["run", "-A", "--no-check", RANK];

/** What 3 ranks find. */
function reportOf(rank: number) {
  return {
    ...{ rank, size: 3, localRank: rank, localSize: 3 },
    texts: ["text of 0", "text of 1", "text of 2"],
    small: [3, 3, 30],
    large: [3 * (2 ** 30 + 1 / 1024) + 3],
  };
}

Deno.test("ranks started as torchrun does join at the port, whatever strangers send there", async () => {
  const environments = torchrunEnvironment(3);
  const others = runInEach(environments.slice(0, 2), args);
  // The last rank comes when strangers have been there.
  await pester(Number(environments[0].MASTER_PORT), { times: 6 });
  const results = [...await Promise.all([others, runInEach(environments.slice(2), args)])].flat();
  for (const [rank, { code, out, err }] of results.entries()) {
    assertEquals(code, 0, err);
    assertEquals(JSON.parse(out), reportOf(rank));
  }
});

/** Waits until somebody listens, then connects again and again and sends noise, or nothing at all. */
async function pester(port: number, { times }: { readonly times: number }): Promise<void> {
  const start = Date.now();
  for (let served = 0; served < times;) {
    assert(Date.now() - start < 60_000, "nobody listens");
    try {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      if (served++ % 2 === 0) await connection.write(crypto.getRandomValues(new Uint8Array(64)));
    } catch {
      // Nobody listens yet, or the noise is not heard to its end.
      await new Promise((wake) => setTimeout(wake, 10));
    }
  }
}

Deno.test("ranks join through a file, also where an earlier job left its own", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/meet`;
  await Deno.writeTextFile(path, JSON.stringify({ host: "127.0.0.1", port: freePort(), token: 1 }));
  const environments = torchrunEnvironment(3)
    .map(({ MASTER_PORT: _, ...rest }) => ({ ...rest, SIAMBAN_RENDEZVOUS: path }));
  for (const [rank, { code, out, err }] of (await runInEach(environments, args)).entries()) {
    assertEquals(code, 0, err);
    assertEquals(JSON.parse(out), reportOf(rank));
  }
  assertEquals(await Array.fromAsync(Deno.readDir(folder.path)), []);
});

Deno.test("a rank that dies ends all others, with its name", async () => {
  const [first, died, third] = await runInEach(torchrunEnvironment(3), [...args, "leave"]);
  assertEquals(died.code, 3);
  for (const { code, err } of [first, third]) {
    assertEquals(code, 1);
    assertMatch(
      err,
      /rank 1 has left the job; what it said itself tells why, or nothing if it was killed/,
    );
  }
});

Deno.test("findLaunch() tells torchrun, and what is missing or makes no sense", () => {
  const [, environment] = torchrunEnvironment(2, 29500);
  const place = { kind: "port", host: "127.0.0.1", port: 29500 } as const;
  const seat = { rank: 1, size: 2, localRank: 1, localSize: 2 };
  assertEquals(findLaunch(environment), { kind: "sockets", place, ...seat });
  assertEquals(findLaunch({ ...environment, TORCHELASTIC_USE_AGENT_STORE: "True" }), {
    ...{ kind: "sockets", place: { ...place, port: 29501 }, ...seat },
  });
  assertEquals(findLaunch({ ...environment, WORLD_SIZE: "1", RANK: "0" }), { kind: "alone" });
  assertEquals(findLaunch({ ...environment, OMPI_COMM_WORLD_SIZE: "2" }).kind, "mpi");
  const refusals: readonly (readonly [Record<string, string | undefined>, string])[] = [
    [{ RANK: "2" }, "RANK is 2, expected a whole number below 2 beside WORLD_SIZE 2"],
    [{ RANK: "-1" }, "RANK is -1"],
    [{ LOCAL_RANK: undefined }, "LOCAL_RANK is missing"],
    [{ MASTER_PORT: undefined }, "MASTER_PORT is missing"],
    [{ MASTER_PORT: "http" }, "MASTER_PORT is http"],
  ];
  for (const [change, message] of refusals) {
    assertThrows(() => findLaunch({ ...environment, ...change }), Error, message);
  }
});

Deno.test("ranks that do not come in time are named", () => {
  const place = { kind: "port", host: "127.0.0.1", port: freePort() } as const;
  const local = { localRank: 0, localSize: 2 };
  assertThrows(
    () => new SocketCollective(place, { rank: 0, size: 3, ...local }, 0.2),
    Error,
    "rank 1, 2 of 3 did not come in 0.2 s",
  );
  assertThrows(
    () => new SocketCollective(place, { rank: 1, size: 3, ...local }, 0.2),
    Error,
    `rank 1 did not reach rank 0 at 127.0.0.1:${place.port}`,
  );
});

Deno.test("a loss that is no number on one rank makes all skip that step, and is named", async () => {
  const program = new URL("one_bad_rank.ts", import.meta.url).pathname;
  const results = await runInEach(torchrunEnvironment(2), ["run", "-A", "--no-check", program]);
  const [first, second] = results.map(({ out, err }) => JSON.parse(out || err));
  assertEquals(first, second);
  const { skipped } = first;
  assertEquals(skipped.map((reason: string | null) => reason === null), [true, false, true, true]);
  assertMatch(skipped[1], /^rank 1 of 2: the loss is NaN; the batch holds e1\.s1\.0\.z\.jpg/);
});

Deno.test({
  name: "ranks started as torchrun does hand out NCCL's id, and add up between their cards",
  ignore: missing !== undefined,
  async fn() {
    const program = new URL("../backends/cuda/all_reduce_rank.ts", import.meta.url).pathname;
    const environments = torchrunEnvironment(2)
      .map((environment) => ({ ...environment, SIAMBAN_EMULATED_DEVICES: "2" }));
    const results = await runInEach(environments, ["run", "-A", "--no-check", program]);
    for (const { out, err } of results) {
      const { route, small, large }: RankReport = JSON.parse(out || err);
      assertEquals([route, small, large], ["nccl", [3, 4, -3], true]);
    }
  },
});
