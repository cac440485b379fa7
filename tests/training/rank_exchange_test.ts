import { assertEquals } from "@std/assert";
import type { Collective } from "../../src/collective.ts";
import { exchangeNews, type RankNews } from "../../src/training/rank_exchange.ts";

/** Rank 1 of two, whose fellow tells what is given. */
function besides(told: readonly number[]): Collective {
  return {
    ...{ rank: 1, size: 2, localRank: 1, localSize: 2, seconds: 0 },
    sum: (values) => told.forEach((value, i) => values[i] += value),
    broadcast() {},
    [Symbol.dispose]() {},
  };
}

Deno.test("exchangeNews() averages times over the ranks, and hears whoever wants to stop or save", () => {
  const quiet: RankNews = { seconds: 3, batchTime: 4, dataTime: 1, stop: false, pause: false };
  assertEquals(exchangeNews(besides([5, 0, 3, 0.5, 1, 0]), quiet), {
    ...{ seconds: [5, 3], batchTime: 5, dataTime: 1, stop: true, pause: false },
  });
  assertEquals(exchangeNews(besides([5, 0, 0, 0, 0, 0]), { ...quiet, pause: true }), {
    ...{ seconds: [5, 3], batchTime: 2, dataTime: 0.5, stop: false, pause: true },
  });
});
