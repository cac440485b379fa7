import { join } from "@std/path";

/** A checkpoint of a training after a whole epoch. */
export interface EpochCheckpoint {
  readonly path: string;
  /** Epochs done. */
  readonly epoch: number;
}

const NAME = /^checkpoint_e(\d+)\.(safetensors|pth)$/;

/**
 * The checkpoints in a training's folder, by epoch; of one epoch in two forms the safetensors.
 *
 * @param range `11-20`, `7`, or `5-`; all by default.
 * @throws {RangeError} If there is none of these, or the range is none.
 */
export async function listCheckpoints(folder: string, range = ""): Promise<EpochCheckpoint[]> {
  const [first, last] = parseRange(range);
  const found = new Map<number, string>();
  for await (const { name, isFile } of Deno.readDir(folder)) {
    const [, epoch, form] = NAME.exec(name) ?? [];
    if (!isFile || epoch === undefined) continue;
    if (form === "safetensors" || !found.has(Number(epoch))) found.set(Number(epoch), name);
  }
  const chosen = [...found].filter(([epoch]) => epoch >= first && epoch <= last)
    .sort(([a], [b]) => a - b);
  if (chosen.length === 0) {
    const there = [...found.keys()].sort((a, b) => a - b).join(", ") || "none";
    throw new RangeError(
      `Cannot find checkpoints in "${folder}": expected checkpoint_e<epoch>.safetensors or .pth` +
        `${range ? ` of the epochs ${range}` : ""}, found those of the epochs ${there}`,
    );
  }
  return chosen.map(([epoch, name]) => ({ path: join(folder, name), epoch }));
}

function parseRange(range: string): [first: number, last: number] {
  const [, first, dash, last] = /^(\d*)(-?)(\d*)$/.exec(range) ?? [];
  if (first === undefined || range === "-") {
    throw new RangeError(`Cannot read the epochs "${range}": expected a range such as 11-20`);
  }
  if (range === "") return [0, Infinity];
  return [Number(first), dash ? (last ? Number(last) : Infinity) : Number(first)];
}
