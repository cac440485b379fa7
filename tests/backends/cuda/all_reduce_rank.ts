/** A rank that adds up tensors with the others on the emulated device, and prints what it found as JSON. */
import * as tf from "@tensorflow/tfjs";
import { type RecordingBackend, useBackend } from "../../../src/backends/mod.ts";
import { Communicators } from "../../../src/backends/cuda/communicators.ts";
import type { Collective } from "../../../src/collective.ts";
import { joinProcesses } from "../../../src/distributed/mod.ts";
import { allReduce } from "../../../src/ops/all_reduce.ts";

/** What a rank prints. */
export interface RankReport {
  readonly rank: number;
  readonly route: string;
  readonly reason?: string;
  readonly large: boolean;
  readonly small: number[];
  readonly bfloat16: number[];
  readonly changed: boolean;
  /** Sums of two replays, or why there was no recording. */
  readonly recorded: number[][] | string;
  /** Kind and reason of the way where rank 1 has no NCCL. */
  readonly without: readonly [kind: string, reason?: string];
  readonly left: number;
}

/** More than the emulated device's ranks exchange at once, 2^18 floats. */
const LARGE = 300_000;

async function main(collective: Collective): Promise<RankReport> {
  const { rank, localRank } = collective;
  const backend = await useBackend("emulated", { localRank, precision: "bf16" });
  const cuda = backend.cuda!;
  const route = cuda.communicators.route(collective);
  const before = tf.memory().numTensors;
  const large = tf.tensor1d(Float32Array.from({ length: LARGE }, (_, i) => i % 11 + 100 * rank));
  const small = tf.tensor([1 + rank, 2, -3 * rank]), empty = tf.tensor1d([]);
  // 1 + 2^-7 and 2^-8 + 2^-15 have no more bits than bfloat16 takes.
  const packed = cuda.activation(Float32Array.of(rank ? 2 ** -8 + 2 ** -15 : 1 + 2 ** -7, 3), [2]);
  const bfloat16 = tf.engine().makeTensorFromDataId(packed.dataId, packed.shape, "float32");
  const version = cuda.version(small);
  allReduce([large, small, empty, bfloat16], collective);
  const report = {
    rank,
    route: route.kind,
    ...(route.kind === "host" ? { reason: route.reason } : {}),
    large: large.dataSync().every((value, i) => value === 2 * (i % 11) + 100),
    small: [...small.dataSync()],
    bfloat16: [...bfloat16.dataSync()],
    changed: cuda.version(small) > version,
    recorded: record(cuda, collective),
    without: withoutNccl(collective),
  };
  tf.dispose([large, small, empty, bfloat16]);
  const left = tf.memory().numTensors - before;
  await tf.setBackend("cpu");
  cuda.dispose();
  return { ...report, left };

  function withoutNccl(collective: Collective): [kind: string, reason?: string] {
    const { libraries, driver } = cuda;
    const nowhere = { ...libraries.nccl, files: ["libnowhere.so"] };
    const found = new Communicators(rank === 1 ? { ...libraries, nccl: nowhere } : libraries, {
      uuid: driver.uuid(driver.device(0)),
    }).route(collective);
    return found.kind === "host" ? [found.kind, found.reason] : [found.kind];
  }
}

/** Records the sum of a doubled input, and replays it on two inputs. */
function record(backend: RecordingBackend, collective: Collective): number[][] | string {
  const inputOf = (value: number) => ({
    x: { values: Float32Array.of(value, collective.rank), shape: [2], dtype: "float32" as const },
  });
  try {
    using step = backend.record(inputOf(0), ({ x }) => {
      const doubled = x.mul<tf.Tensor>(2);
      allReduce([doubled], collective);
      return { doubled };
    });
    return [1, 5].map((value) => {
      const { doubled } = step.replay(inputOf(value + collective.rank));
      const values = [...doubled.dataSync()];
      doubled.dispose();
      return values;
    });
  } catch (error) {
    return (error as Error).message;
  }
}

if (import.meta.main) {
  const collective = joinProcesses();
  const line = JSON.stringify(await main(collective)) + "\n";
  Deno.stdout.writeSync(new TextEncoder().encode(line));
  collective[Symbol.dispose]();
}
