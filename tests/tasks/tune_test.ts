import { assert, assertEquals, assertMatch } from "@std/assert";
import { buildModel } from "../../src/models/mod.ts";
import { encodePng } from "../../src/image/encode.ts";
import { stateDict } from "../../src/nn/mod.ts";
import { Rng } from "../../src/random.ts";
import { Study } from "../../src/search/mod.ts";
import { writeSafetensors } from "../../src/weights/mod.ts";
import { temporaryFolder } from "../data/demo.ts";
import { testTiny, tinyExperiment } from "../training/tiny.ts";

const TASK = new URL("../../tasks/tune.ts", import.meta.url).pathname;
const FRAMES = 6;

/** A tiny tracker and two sequences of noise, laid out as DTB70. */
async function prepare(folder: string) {
  const config = tinyExperiment();
  using model = buildModel(config, new Rng(1));
  await writeSafetensors(`${folder}/w.safetensors`, stateDict(model));
  await Deno.writeTextFile(`${folder}/c.json`, JSON.stringify(config));
  for (const name of ["one", "two"]) {
    await Deno.mkdir(`${folder}/data/${name}/img`, { recursive: true });
    const rng = new Rng(name.length, name.charCodeAt(0));
    for (let i = 1; i <= FRAMES; i++) {
      const data = Uint8Array.from({ length: 3 * 80 * 60 }, () => rng.integer(256));
      const png = await encodePng({ width: 80, height: 60, data });
      await Deno.writeFile(`${folder}/data/${name}/img/${i}.png`, png);
    }
    const boxes = Array.from({ length: FRAMES }, (_, i) => `${20 + i},15,20,24`);
    await Deno.writeTextFile(`${folder}/data/${name}/groundtruth_rect.txt`, boxes.join("\n"));
  }
}

function start(folder: string, ...args: string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      ...[
        "run",
        "-A",
        TASK,
        "--config",
        `${folder}/c.json`,
        "--weights",
        `${folder}/w.safetensors`,
      ],
      ...["--benchmark", "DTB70", "--annotations", `${folder}/data`, "--threads", "1"],
      ...["--study", `${folder}/s.sqlite`, "--json", ...args],
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function outcome(process: Deno.ChildProcess) {
  const { code, stdout, stderr } = await process.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: decode(stdout), errors: decode(stderr) };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (const start = Date.now(); !isTrue();) {
    if (Date.now() - start > 60_000) throw new Error("it does not come true");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

testTiny("tune finds, tells and draws the best setting, and goes on with a study", async () => {
  await using folder = await temporaryFolder();
  await prepare(folder.path);
  const plots = `${folder.path}/plots`, range = ["--range", "lr=log:0.01:1"];
  const { code, out, errors } = await outcome(
    start(folder.path, "--trials", "5", "--side-by-side", "2", ...range, "--plots", plots),
  );
  assertEquals(code, 0, errors);
  assertMatch(errors, /^Without Animal1, .*, Zebra: it is not in the annotations$/m);
  const json = JSON.parse(out.trimEnd().split("\n").at(-1)!);
  assertEquals([json.measure, json.trials, json.running], ["success_auc", 5, 0]);
  assertMatch(json.best.overrides[0], /^tracking\.scaleLr=0\.\d+$/);
  assertMatch(out, new RegExp(`Best: --set ${json.best.overrides[0]}`));
  assertMatch(out, /The network answered \d+ of 50 searches/);
  for (const name of ["importance.svg", "importance.png", "parameter_scaleLr.png", "history.png"]) {
    assert((await Deno.stat(`${plots}/${name}`)).size > 1000, name);
  }
  // The same again adds nothing; more settings are added; another subject is refused.
  const again = await outcome(start(folder.path, "--trials", "5", ...range));
  assertEquals(JSON.parse(again.out.trimEnd().split("\n").at(-1)!).best, json.best);
  const other = await outcome(start(folder.path, "--trials", "6"));
  assertEquals(other.code, 1);
  assertMatch(other.errors, /its searched settings is scaleLr=log:0.01:1/);
  const unknown = await outcome(start(folder.path, "--range", "speed=0:1"));
  assertMatch(unknown.errors, /--range names speed, expected penaltyK, windowInfluence, scaleLr/);
});

testTiny("tune survives kill -9, and several programs share a study", async () => {
  await using folder = await temporaryFolder();
  await prepare(folder.path);
  const path = `${folder.path}/s.sqlite`, of = ["--method", "random", "--trials", "24"];
  const args = [...of, "--lease", "3", "--side-by-side", "3"];
  const victim = start(folder.path, ...args);
  await until(() => {
    try {
      using study = Study.open(path);
      return study.trials().some(({ state }) => state === "done");
    } catch {
      return false;
    }
  });
  victim.kill("SIGKILL");
  assertEquals((await outcome(victim)).code, 137);
  const left = (() => {
    using study = Study.open(path);
    return study.trials();
  })();
  assert(left.length < 24, "the victim was faster than its murderer");
  // What it had begun is free once it has been silent long enough, which the others wait for.
  const both = await Promise.all([0, 1].map(() => outcome(start(folder.path, ...args))));
  assertEquals(both.map(({ code }) => code), [0, 0], both.map(({ errors }) => errors).join());
  for (const { out } of both) {
    assertEquals(JSON.parse(out.trimEnd().split("\n").at(-1)!).running, 0);
  }
  using study = Study.open(path);
  const trials = study.trials();
  assertEquals(
    trials.map(({ number, state }) => [number, state]),
    [...Array(24).keys()].map((i) => [i, "done"]),
  );
  // Nobody's work was done twice, and what was done before stayed.
  const told = both.flatMap(({ out }) =>
    [...out.matchAll(/^#(\d+) +Success/gm)].map(([, n]) => Number(n))
  );
  const before = left.filter(({ state }) => state === "done");
  assertEquals(
    told.toSorted((a, b) => a - b),
    trials.map(({ number }) => number).filter((n) => !before.some(({ number }) => number === n)),
  );
  assertEquals(trials.slice(0, before.length), before);
  // One program alone comes to the same.
  await Deno.remove(path);
  assertEquals((await outcome(start(folder.path, ...of))).code, 0);
  using alone = Study.open(path);
  assertEquals(alone.trials(), trials);
});
