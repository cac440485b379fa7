/** A rank that trains a few steps, of which rank 1 has a pixel that is no number in one; prints what came of them. */
import { joinProcesses } from "../../src/distributed/mod.ts";
import { stateDict } from "../../src/nn/mod.ts";
import { Trainer } from "../../src/training/trainer.ts";
import { bytesOf } from "../../src/weights/mod.ts";
import { noiseBatch, tinyExperiment, tinyModel, useTiny } from "../training/tiny.ts";

const STEPS = 4, BAD_STEP = 1;
const collective = joinProcesses();
await using _ = await useTiny();
const config = tinyExperiment({ training: { epochs: 1 } });
using model = tinyModel(config);
using trainer = new Trainer(model, { config, stepsPerEpoch: STEPS, collective });

async function* batches() {
  for (let step = 0; step < STEPS; step++) {
    // Each rank has batches of its own.
    const batch = noiseBatch(config, { epoch: collective.rank, step });
    if (collective.rank === 1 && step === BAD_STEP) batch.search[0] = NaN;
    yield { ...batch, epoch: 0 };
  }
}

const skipped: (string | null)[] = [];
for await (const event of trainer.run(batches())) {
  if (event.kind === "step") skipped.push(event.report.skipped ?? null);
}
const weights = await new Blob(
  Array.from(stateDict(model).entries()).flatMap(
    ([name, tensor]) => /running_|num_batches/.test(name) ? [] : [bytesOf(tensor) as BlobPart],
  ),
).bytes();
const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", weights)).toHex();
console.log(JSON.stringify({ skipped, digest }));
collective[Symbol.dispose]();
