/**
 * Takes training steps of SiamBAN with a frozen backbone in a process of its own, `step_process.ts
 * NETWORK BATCH ROUNDS THREADS DEVICE`, and prints one line of JSON: seconds of the fastest step, and
 * the most memory that the process has had.
 */
import { useBackend } from "../../mod.ts";
import { NETWORKS } from "./networks.ts";
import { peakMemory } from "./peak_memory.ts";
import { StepBench } from "./training_step.ts";

const [name, batch, rounds, threads, device] = Deno.args;
await using _ = await useBackend(device as "auto", { threads: Number(threads) });
const network = NETWORKS.find((network) => network.name === name)!;
using bench = new StepBench("frozen", Number(batch), network);
bench.warmUp();
const seconds = Array.from({ length: Number(rounds) }, () => bench.step().seconds);
console.log(JSON.stringify({ seconds: Math.min(...seconds), peakBytes: peakMemory() }));
