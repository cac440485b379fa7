import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { loadExperiment } from "../../src/config/mod.ts";
import { openTrained } from "../../src/experiment/trained.ts";
import { buildModel } from "../../src/models/mod.ts";
import { stateDict } from "../../src/nn/mod.ts";
import { Rng } from "../../src/random.ts";
import { writeSafetensors } from "../../src/weights/safetensors.ts";
import { testTiny } from "../training/tiny.ts";

const path = (file: string) => new URL(`../../${file}`, import.meta.url).pathname;

testTiny(
  "openTrained() takes NanoTrack's head from the weights where its own file leaves it open",
  async () => {
    const folder = await Deno.makeTempDir();
    try {
      const { config: second } = await loadExperiment(path("configs/nanotrack_v2.ts"));
      using model = buildModel(second, new Rng(1));
      const weights = join(folder, "v2.safetensors");
      await writeSafetensors(weights, stateDict(model));
      const { config } = await loadExperiment(path("tests/fixtures/config/nanotrack_style.yaml"));
      assertEquals(config.head.type, "NanoTrackV1");
      using opened = await openTrained(config, weights);
      assertEquals(stateDict(opened), stateDict(model));
      // A configuration that says which head it is does not change its mind.
      const { config: first } = await loadExperiment(path("configs/nanotrack_v1.ts"));
      await assertRejects(
        () => openTrained(first, weights),
        RangeError,
        "ban_head.corr_pw.CA_layer",
      );
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
