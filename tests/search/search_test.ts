import { assert, assertEquals } from "@std/assert";
import { benchmarkNamed, CONVENTIONS, type Region } from "../../src/evaluation/mod.ts";
import { trackerOptions } from "../../src/experiment/held_out.ts";
import { buildModel } from "../../src/models/mod.ts";
import { setTraining } from "../../src/nn/mod.ts";
import { Rng } from "../../src/random.ts";
import {
  measureFor,
  parseDimension,
  search,
  type SearchOptions,
  Study,
} from "../../src/search/mod.ts";
import { temporaryFolder } from "../data/demo.ts";
import { testTiny, tinyExperiment } from "../training/tiny.ts";

const [WIDTH, HEIGHT] = [120, 90];
const FRAMES = 12;
/** In one the target stays where it is, in the other it runs. */
const sequences = [["near", 0], ["far", 5]].map(([name, speed]) => ({
  name: String(name),
  frames: [],
  truth: Array.from(
    { length: FRAMES },
    (_, i): Region => ({ x: 10 + +speed * i, y: 20, w: 24, h: 30 }),
  ),
  attributes: [],
  size: { w: WIDTH, h: HEIGHT },
}));

async function* framesOf({ name }: { readonly name: string }) {
  const rng = new Rng(name.length);
  for (let i = 0; i < FRAMES; i++) {
    const data = Uint8Array.from({ length: 3 * WIDTH * HEIGHT }, () => rng.integer(256));
    yield await Promise.resolve({ width: WIDTH, height: HEIGHT, data });
  }
}

testTiny(
  "search() takes over what is finished of a setting as if it had done it itself",
  async () => {
    await using folder = await temporaryFolder();
    const config = tinyExperiment();
    using model = buildModel(config, new Rng(1));
    setTraining(model, false);
    for (const [name, key] of [["OTB100", "ao"], ["VOT2018", "accuracy"], ["VOT2018-LT", "f1"]]) {
      const benchmark = benchmarkNamed(name);
      const options: Omit<SearchOptions, "study"> = {
        space: [parseDimension("scaleLr=0:0.9")],
        method: "random",
        seed: 1,
        trials: 3,
        model,
        settingOf: (values) => ({ ...trackerOptions(config), ...values }),
        benchmark,
        sequences,
        convention: CONVENTIONS[benchmark.convention],
        measure: measureFor(benchmark, key),
        framesOf,
      };
      using whole = Study.open(`${folder.path}/${name}-whole.sqlite`);
      for await (const _ of search({ ...options, study: whole }));
      const path = `${folder.path}/${name}-broken.sqlite`;
      {
        using dies = Study.open(path, { leaseSeconds: 0.001 });
        for await (const event of search({ ...options, study: dies })) {
          if (event.kind === "sequence") break;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
      using lives = Study.open(path);
      const tracked: string[] = [];
      for await (const event of search({ ...options, study: lives })) {
        if (event.kind === "sequence") tracked.push(event.name);
      }
      assertEquals(tracked, ["far"], name);
      assertEquals(lives.trials(), whole.trials(), name);
      assert(lives.trials().every(({ state, score }) => state === "done" && score! >= 0), name);
    }
  },
);
