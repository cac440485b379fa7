import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { SampleError, SampleWriter } from "../../src/data/sample_writer.ts";
import type { Batch } from "../../src/data/batches.ts";
import { loadBatches, type LoaderOptions, stepsPerEpoch } from "../../src/data/loader.ts";
import { openDemo, PAIR_OPTIONS, prepareDemo, temporaryFolder } from "./demo.ts";

const folder = await temporaryFolder();
await prepareDemo(folder.path, { videos: 4, frames: 6 });
const dataset = openDemo(folder.path);
addEventListener("unload", () => Deno.removeSync(folder.path, { recursive: true }));

/** What a batch holds, as one text. */
function digest({ epoch, step, size, provenance, ...arrays }: Batch): string {
  const { template, search, labelCls, labelLoc, box } = arrays;
  const sums = [template, search, labelCls, labelLoc, box].map((array) => {
    let sum = 0;
    for (let i = 0; i < array.length; i++) sum += array[i] * (1 + i % 7);
    return sum;
  });
  const paths = provenance.map((pair) => pair.template.path + pair.search.path);
  return JSON.stringify({ epoch, step, size, sums, paths });
}

async function digestsOf(options: Partial<LoaderOptions>): Promise<string[]> {
  const all = { seed: 1, batchSize: 3, epochs: 2, ...options };
  const digests = [];
  for await (const batch of loadBatches(dataset, all)) digests.push(digest(batch));
  return digests;
}

const alone = await digestsOf({});

Deno.test("loadBatches() delivers every step of every epoch, in order", () => {
  const steps = alone.map((text) => JSON.parse(text)).map(({ epoch, step }) => `${epoch}.${step}`);
  // 20 pairs an epoch in batches of 3: 6 steps
  assertEquals(
    steps,
    [0, 1].flatMap((epoch) => [0, 1, 2, 3, 4, 5].map((step) => `${epoch}.${step}`)),
  );
  assertEquals(new Set(alone).size, 12);
});

for (const workers of [1, 2, 3]) {
  Deno.test(`loadBatches() gives the same batches with ${workers} workers`, async () => {
    assertEquals(await digestsOf({ workers }), alone);
    assertEquals(await digestsOf({ workers, prefetch: 1 }), alone);
  });
}

Deno.test("loadBatches() gives the same batches without native code", async () => {
  assertEquals(await digestsOf({ native: false }), alone);
});

for (const [workers, native] of [[0, true], [2, true], [0, false]] as const) {
  const how = `${workers} workers, ${native ? "native" : "plain"}`;
  Deno.test(`loadBatches() gives bytes where no colour is taken away, ${how}`, async () => {
    const { template, search } = PAIR_OPTIONS;
    const plain = openDemo(folder.path, {
      template: { ...template, color: 0 },
      search: { ...search, color: 0, blur: 0.5 },
    });
    const writer = new SampleWriter(plain);
    const options = { seed: 1, batchSize: 3, epochs: 1, workers, native };
    for await (const batch of loadBatches(plain, options)) {
      assert(batch.template instanceof Uint8Array && batch.search instanceof Uint8Array);
      const index = 3 * batch.step + 2;
      const sample = await writer.sampleAt({ seed: 1, epoch: 0, index });
      const last = batch.search.subarray(2 * sample.search.length);
      assertEquals(Float32Array.from(last), sample.search);
      assertEquals(batch.labelCls.subarray(2 * sample.cls.length), sample.cls);
      assertEquals(batch.box.subarray(8), sample.box);
    }
    writer[Symbol.dispose]();
  });
}

Deno.test("loadBatches() goes on at any epoch and step", async () => {
  assertEquals(await digestsOf({ start: { epoch: 0, step: 4 } }), alone.slice(4));
  assertEquals(await digestsOf({ start: { epoch: 1, step: 2 }, workers: 2 }), alone.slice(8));
  assertEquals(await digestsOf({ start: { epoch: 2, step: 0 }, workers: 2 }), []);
});

Deno.test("loadBatches() gives the ranks together what one process gets", async () => {
  const pairs = async (options: Partial<LoaderOptions>) =>
    (await digestsOf(options)).map((text): string[] => JSON.parse(text).paths);
  const whole = await pairs({ batchSize: 4, stepsPerEpoch: 5 });
  const [first, second] = await Promise.all(
    [0, 1].map((rank) => pairs({ batchSize: 2, stepsPerEpoch: 5, rank, worldSize: 2 })),
  );
  const joined = first.map((batch, i) => batch.flatMap((path, k) => [path, second[i][k]]));
  assertEquals(joined, whole);
});

Deno.test("loadBatches() keeps a batch until the next one is asked for", async () => {
  const options = { seed: 1, batchSize: 3, epochs: 1, workers: 2, prefetch: 2 };
  const batches: string[] = [];
  for await (const batch of loadBatches(dataset, options)) {
    const before = digest(batch);
    await new Promise((resolve) => setTimeout(resolve, 30)); // the workers run ahead
    assertEquals(digest(batch), before);
    batches.push(before);
  }
  assertEquals(batches, alone.slice(0, 6));
});

Deno.test("loadBatches() runs ahead while its consumer is busy", async () => {
  const options = { seed: 1, batchSize: 3, epochs: 1, workers: 2, prefetch: 3 };
  const waits: number[] = [];
  for await (const { waitSeconds } of loadBatches(dataset, options)) {
    waits.push(waitSeconds);
    // As long as the first batch took, its workers' start included: enough for one more, however slow.
    await new Promise((resolve) => setTimeout(resolve, 1000 * waits[0]));
  }
  const [first, ...later] = waits;
  assert(later.toSorted((a, b) => a - b)[2] < first / 4, `${waits}`);
});

Deno.test("loadBatches() ends its workers when the loop is left", async () => {
  for (let i = 0; i < 5; i++) {
    for await (const _ of loadBatches(dataset, { seed: i, batchSize: 3, epochs: 9, workers: 2 })) {
      break;
    }
  }
}); // the sanitizer of Deno.test finds workers that are left

for (const workers of [0, 2]) {
  Deno.test(`loadBatches() names the file that cannot be read, with ${workers} workers`, async () => {
    await using broken = await temporaryFolder();
    await prepareDemo(broken.path, { videos: 4, frames: 6 });
    const damaged = openDemo(broken.path);
    const { search } = damaged.pairAt({ seed: 1, epoch: 0, index: 10 });
    await Deno.writeTextFile(search.path, "no picture");
    const load = async () => {
      for await (const _ of loadBatches(damaged, { seed: 1, batchSize: 3, epochs: 1, workers }));
    };
    const error = await assertRejects(load, SampleError);
    assertEquals(error.path, search.path);
    assert(error.message.includes("it starts with [6e 6f 20 70]"), error.message);
  });
}

for (const workers of [0, 2]) {
  Deno.test(`loadBatches() tells which pictures were skipped, with ${workers} workers`, async () => {
    await using broken = await temporaryFolder();
    await prepareDemo(broken.path, { videos: 4, frames: 6 });
    const damaged = openDemo(broken.path, { unreadable: "skip" });
    const { search } = damaged.pairAt({ seed: 1, epoch: 0, index: 10 });
    await Deno.writeTextFile(search.path, "no picture");
    const told: string[] = [], used: string[] = [];
    for await (const batch of loadBatches(damaged, { seed: 1, batchSize: 3, epochs: 1, workers })) {
      for (const notice of batch.notices) {
        if (notice.kind !== "skipped") throw new Error(notice.message);
        told.push(`${batch.step} ${notice.path}`);
        assert(notice.message.includes("it starts with [6e 6f 20 70]"), notice.message);
      }
      used.push(...batch.provenance.flatMap((pair) => [pair.template.path, pair.search.path]));
    }
    assert(told.includes(`3 ${search.path}`), `${told}`); // sample 10 in batches of 3
    assertEquals(used.length, 2 * 18);
    assert(!used.includes(search.path));
  });
}

/** Digests and notices with workers that a module of the tests makes fail. */
async function withFailing(module: string, options: Partial<LoaderOptions> = {}) {
  const workerModule = new URL(`./failing_workers/${module}`, import.meta.url);
  const digests: string[] = [], notices: string[] = [];
  const all = { seed: 1, batchSize: 3, epochs: 2, workers: 2, workerModule, ...options };
  for await (const batch of loadBatches(dataset, all)) {
    digests.push(digest(batch));
    notices.push(...batch.notices.map(({ message }) => message));
  }
  return { digests, notices };
}

Deno.test("loadBatches() replaces workers that die, and their samples are made again", async () => {
  const { digests, notices } = await withFailing("dies_sometimes.ts");
  assertEquals(digests, alone);
  assert(notices.length > 1, `${notices}`);
  const form = /^worker [12] ended with ".*killed.*", at work on sample \d+ of epoch [01] \("/;
  for (const notice of notices) assert(form.test(notice), notice);
});

Deno.test("loadBatches() names and replaces a worker that stalls", async () => {
  const { digests, notices } = await withFailing("stalls_once.ts", { stallSeconds: 2, workers: 1 });
  assertEquals(digests, alone);
  assertEquals(notices.length, 1);
  const form = /^worker 1 finished nothing for 2 s, at work on sample 4 of epoch 0 \(".*x\.jpg"/;
  assert(form.test(notices[0]), notices[0]);
});

Deno.test("loadBatches() replaces a worker that ends without a word", async () => {
  const { digests } = await withFailing("leaves_once.ts", { stallSeconds: 1, workers: 1 });
  assertEquals(digests, alone);
});

Deno.test("loadBatches() gives up on a sample that ends every worker", async () => {
  const load = () => withFailing("dies_always.ts");
  await assertRejects(load, Error, "Cannot load batches: worker");
});

Deno.test("loadBatches() counts the work of a batch", async () => {
  for (const workers of [0, 1]) {
    for await (
      const { work } of loadBatches(dataset, { seed: 1, batchSize: 3, epochs: 1, workers })
    ) {
      assert(Object.values(work).every((milliseconds) => milliseconds > 0), JSON.stringify(work));
    }
  }
});

Deno.test("stepsPerEpoch() refuses a batch that the epoch does not fill", () => {
  assertEquals(stepsPerEpoch(dataset, { batchSize: 6, worldSize: 3 }), 1);
  assertThrows(
    () => stepsPerEpoch(dataset, { batchSize: 21 }),
    RangeError,
    "lower training.batchSize",
  );
});
