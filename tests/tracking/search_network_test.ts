import { assertEquals, assertNotEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";
import { createImage, type Image } from "../../src/image/image.ts";
import { loadExperiment } from "../../src/config/mod.ts";
import { buildModel, type SiamBAN } from "../../src/models/mod.ts";
import { namedParameters, setTraining } from "../../src/nn/mod.ts";
import { Rng } from "../../src/random.ts";
import { SearchNetwork } from "../../src/tracking/search_network.ts";
import { respond } from "../../src/tracking/steps.ts";
import { BACKENDS } from "../support/backends.ts";
import { assertClose } from "../support/close.ts";
import { liveTensors } from "../support/leaks.ts";
import { tinyExperiment, tinyModel } from "../training/tiny.ts";

const FRAMES = 6;
const emulated = BACKENDS.find(({ name }) => name === "emulated")!;
const native = BACKENDS.find(({ name }) => name === "onednn")!;

function noise(seed: number, side: number): Image {
  const rng = new Rng(seed), image = createImage(side, side);
  image.data.forEach((_, i) => image.data[i] = rng.integer(256));
  return image;
}

async function nanotrack(version: number): Promise<SiamBAN> {
  const file = new URL(`../../configs/nanotrack_v${version}.ts`, import.meta.url).pathname;
  const model = buildModel((await loadExperiment(file)).config, new Rng(version));
  setTraining(model, false);
  return model;
}

function templateOf(model: SiamBAN, seed: number) {
  return tf.tidy(() => {
    const { data } = noise(seed, 127);
    return [...model.template(tf.tensor4d(Float32Array.from(data), [1, 127, 127, 3]))];
  });
}

for (const version of [1, 2, 3]) {
  Deno.test({
    name:
      `SearchNetwork gives the same bits when it does recorded work again, NanoTrack V${version}`,
    ignore: !native.available,
    async fn() {
      await using _ = await native.use();
      using model = await nanotrack(version);
      const [first, second] = [1, 2].map((seed) => templateOf(model, seed));
      const before = liveTensors();
      const network = new SearchNetwork(model);
      for (const features of [first, second]) {
        for (let frame = 0; frame < FRAMES; frame++) {
          const crop = noise(10 + frame, 255);
          const found = network.respond([{ features, crop }]);
          assertEquals(found, respond(model, [{ features, crop }]));
        }
      }
      network[Symbol.dispose]();
      assertEquals(liveTensors(), before);
      tf.dispose([...first, ...second]);
    },
  });
}

Deno.test({
  name: "SearchNetwork takes memory for the answer alone once its work is recorded",
  ignore: !native.available,
  async fn() {
    await using backend = await native.use();
    using model = await nanotrack(3);
    const features = templateOf(model, 1);
    using network = new SearchNetwork(model);
    for (let frame = 0; frame < FRAMES; frame++) {
      network.respond([{ features, crop: noise(frame, 255) }]);
    }
    const profile = backend.startProfile()!;
    for (let frame = 0; frame < FRAMES; frame++) {
      network.respond([{ features, crop: noise(frame, 255) }]);
    }
    profile.stop();
    // 15 x 15 points with 2 scores and 4 distances.
    assertEquals(profile.allocatedBytes, FRAMES * 15 * 15 * (2 + 4) * 4);
    tf.dispose(features);
  },
});

Deno.test({
  name: "SearchNetwork replays its work on the device as a graph, with pictures as bytes",
  ignore: !emulated.available,
  async fn() {
    await using backend = await emulated.use();
    using model = tinyModel(tinyExperiment());
    setTraining(model, false);
    const template = tf.zeros<tf.Rank.R4>([1, 111, 111, 3]);
    const features = [...model.template(template)];
    template.dispose();
    respond(model, [{ features, crop: noise(0, 175) }]); // the weights go to the device
    const before = liveTensors(), { blocks } = backend.cuda!.statistics().memory;
    const network = new SearchNetwork(model);
    const statistics = () => backend.cuda!.statistics();
    for (let frame = 0; frame < FRAMES; frame++) {
      const crop = noise(frame, 175);
      const { launches, uploadedBytes } = statistics();
      const found = network.respond([{ features, crop }]);
      // Two frames op by op, one that is also written down.
      if (frame > 2) {
        assertEquals(statistics().launches, launches);
        assertEquals(statistics().uploadedBytes - uploadedBytes, crop.data.length);
      }
      assertEquals(found, respond(model, [{ features, crop }]));
    }
    network[Symbol.dispose]();
    assertEquals(liveTensors(), before);
    assertEquals(statistics().memory.blocks, blocks);
    tf.dispose(features);
  },
});

Deno.test({
  name: "SearchNetwork sees weights that change after it has recorded",
  ignore: !native.available,
  async fn() {
    await using _ = await native.use();
    using model = await nanotrack(1);
    using network = new SearchNetwork(model);
    const features = templateOf(model, 1);
    const search = { features, crop: noise(2, 255) };
    const ask = () => network.respond([search])[0].scores;
    for (let frame = 0; frame < FRAMES; frame++) ask();
    const before = ask();
    for (const { name, parameter } of namedParameters(model)) {
      if (name !== "ban_head.cls_logits.0.weight") continue;
      parameter.overwrite(parameter.tensor.dataSync().map((value) => -value));
    }
    assertNotEquals(ask(), before);
    assertClose(ask(), respond(model, [search])[0].scores);
    tf.dispose([...features]);
  },
});

Deno.test({
  name: "SearchNetwork answers several searches at once as one at a time",
  ignore: !native.available,
  async fn() {
    await using _ = await native.use();
    using model = await nanotrack(3);
    using network = new SearchNetwork(model);
    const templates = [1, 2].map((seed) => templateOf(model, seed));
    for (let frame = 0; frame < FRAMES; frame++) {
      const searches = templates.map((features, i) => ({
        features,
        crop: noise(9 * i + frame, 255),
      }));
      const together = network.respond(searches);
      searches.forEach((search, i) => {
        const [alone] = respond(model, [search]);
        assertClose(together[i].scores, alone.scores, { tolerance: 1e-5 });
        assertClose(together[i].distances, alone.distances, { tolerance: 1e-5 });
      });
    }
    tf.dispose(templates.flat());
  },
});
