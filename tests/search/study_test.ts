import { assertEquals, assertThrows } from "@std/assert";
import { Study } from "../../src/search/mod.ts";
import { temporaryFolder } from "../data/demo.ts";

const suggest = (number: number) => ({ a: number / 10 });
const soon = () => new Promise((resolve) => setTimeout(resolve, 30));

Deno.test("Study hands every setting out once, to whoever asks", async () => {
  await using folder = await temporaryFolder();
  using one = Study.open(`${folder.path}/s.sqlite`), two = Study.open(`${folder.path}/s.sqlite`);
  const numbers = [one, two, one, two].flatMap((study) =>
    study.claim({ count: 2, limit: 7, suggest }).map(({ number }) => number)
  );
  assertEquals(numbers, [0, 1, 2, 3, 4, 5, 6]);
  assertEquals(one.claim({ count: 2, limit: 7, suggest }), []);
  one.finish(0, 0.5, { auc: 0.5 });
  two.fail(2, "too small");
  assertEquals(two.trials().slice(0, 3), [
    { number: 0, state: "done", values: { a: 0 }, score: 0.5, figures: { auc: 0.5 } },
    { number: 1, state: "running", values: { a: 0.1 } },
    { number: 2, state: "failed", values: { a: 0.2 }, reason: "too small" },
  ]);
  assertEquals(one.running, 5);
});

Deno.test("Study gives the sampler what is known, and stops where it has no more", async () => {
  await using folder = await temporaryFolder();
  using study = Study.open(`${folder.path}/s.sqlite`);
  const seen: number[] = [];
  const claims = study.claim({
    count: 5,
    limit: 9,
    suggest: (number, before) => {
      seen.push(before.length);
      return number < 3 ? { a: number } : undefined;
    },
  });
  assertEquals(claims.map(({ values }) => values), [{ a: 0 }, { a: 1 }, { a: 2 }]);
  assertEquals(seen, [0, 1, 2, 3]);
});

Deno.test("Study gives on what a silent program has begun, with what is finished of it", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/s.sqlite`;
  {
    using dies = Study.open(path, { leaseSeconds: 0.01 });
    dies.claim({ count: 2, limit: 2, suggest });
    dies.keepPart(0, "Bolt", "[1,2]");
  }
  await soon();
  using lives = Study.open(path);
  const claims = lives.claim({ count: 4, limit: 2, suggest });
  assertEquals(claims, [
    { number: 0, values: { a: 0 }, parts: new Map([["Bolt", "[1,2]"]]) },
    { number: 1, values: { a: 0.1 }, parts: new Map() },
  ]);
  // The first one to finish has said it.
  lives.finish(0, 0.25, {});
  using late = Study.open(path);
  late.finish(0, 0.75, {});
  assertEquals(late.trials()[0].score, 0.25);
});

Deno.test("Study leaves a setting to a program that shows signs of life", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/s.sqlite`;
  using works = Study.open(path, { leaseSeconds: 0.05 }), waits = Study.open(path);
  works.claim({ count: 1, limit: 1, suggest });
  for (let i = 0; i < 4; i++) {
    await soon();
    works.renew();
    assertEquals(waits.claim({ count: 1, limit: 1, suggest }), []);
  }
  await soon();
  await soon();
  assertEquals(waits.claim({ count: 1, limit: 1, suggest }).length, 1);
});

Deno.test("Study writes nothing if a sampler fails", async () => {
  await using folder = await temporaryFolder();
  using study = Study.open(`${folder.path}/s.sqlite`);
  const broken = (number: number) => {
    if (number === 1) throw new Error("broken");
    return { a: 1 };
  };
  assertThrows(() => study.claim({ count: 3, limit: 3, suggest: broken }), Error, "broken");
  assertEquals(study.trials(), []);
});

Deno.test("Study is about one thing", async () => {
  await using folder = await temporaryFolder();
  using study = Study.open(`${folder.path}/s.sqlite`);
  study.join({ benchmark: "OTB100", seed: 1 });
  study.join({ benchmark: "OTB100", seed: 1 });
  assertThrows(
    () => study.join({ benchmark: "OTB100", seed: 2 }),
    RangeError,
    "its seed is 1, found 2",
  );
  assertEquals(study.subject, { benchmark: "OTB100", seed: "1" });
});

Deno.test("Study.open() leaves other files alone", async () => {
  await using folder = await temporaryFolder();
  const text = `${folder.path}/text.txt`, other = `${folder.path}/other.sqlite`;
  await Deno.writeTextFile(text, "not a database at all, but long enough to be one ".repeat(50));
  const before = await Deno.readTextFile(text);
  assertThrows(() => Study.open(text), RangeError, "not a database");
  assertEquals(await Deno.readTextFile(text), before);
  const { DatabaseSync } = await import("node:sqlite");
  const db = new DatabaseSync(other);
  db.exec("CREATE TABLE theirs (x)");
  db.close();
  assertThrows(() => Study.open(other), RangeError, "a database of something else");
  assertThrows(() => Study.open(`${folder.path}/none/s.sqlite`), RangeError, "Cannot open study");
});
