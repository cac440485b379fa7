import { concat } from "@std/bytes/concat";
import { join } from "@std/path";
import { openCheckpoint } from "../../../src/training/checkpoint.ts";
import {
  elementCount,
  groupSizes,
  hostTensor,
  readCheckpoint,
  readSafetensors,
  readTorchFile,
  restoreFrom,
  type StateDict,
  TorchTensor,
  toTorchSnapshot,
  WeightsFileError,
  writeCheckpoint,
  writeSafetensors,
} from "../../../src/weights/mod.ts";
import { torchFileChunks } from "../../../src/weights/torch_writer.ts";
import { bytesOfText, demand, fixtures, type Target } from "../target.ts";

/** Opcodes and names that pickles are attacked with. */
const PICKLE_WORDS = [
  "cos\nsystem\n",
  "cbuiltins\neval\n",
  "c__builtin__\ngetattr\n",
  "ctorch._utils\n_rebuild_tensor_v2\n",
  "ccollections\nOrderedDict\n",
  ...["(", ")", "R", "b", "t", "}", "]", "s", "u", "a", "e", "0", "1", "2", ".", "Q", "\x81"],
  ...["X\xff\xff\xff\x7f", "\x8e\xff\xff\xff\xff\xff\xff\xff\x7f", "\x8b\xff\xff\xff\x7f"],
  ...[
    "j\xff\xff\xff\xff",
    "r\xff\xff\xff\x7f",
    "h\x00",
    "q\x00",
    "__proto__",
    "X\x09\0\0\0__proto__",
  ],
];

const torchZip: Target = {
  name: "torch-zip",
  corpus: () => fixtures("checkpoints", /_zip\.pth$/),
  run: readTorch,
  allowedErrors: [WeightsFileError],
  dictionary: [...PICKLE_WORDS, "PK\x01\x02", "PK\x03\x04", "PK\x05\x06", "../../x", "data.pkl"],
};

const torchLegacy: Target = {
  name: "torch-legacy",
  corpus: () => fixtures("checkpoints", /_legacy\.pth$/),
  run: readTorch,
  allowedErrors: [WeightsFileError],
  dictionary: PICKLE_WORDS,
};

const torchHostile: Target = {
  name: "torch-hostile",
  corpus: async () => [
    ...await fixtures("checkpoints/hostile", /\.pth$/),
    ...await fixtures("checkpoints", /^nested_/),
  ],
  run: readTorch,
  allowedErrors: [WeightsFileError],
  dictionary: PICKLE_WORDS,
};

async function readTorch(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  const { value } = await readTorchFile(bytes);
  checkValue(value, new Set());
}

/** Every tensor has as many elements as its shape says. */
function checkValue(value: unknown, seen: Set<unknown>): void {
  const pending = [value];
  while (pending.length > 0) {
    const next = pending.pop();
    if (typeof next !== "object" || next === null || seen.has(next)) continue;
    seen.add(next);
    if (next instanceof TorchTensor) {
      const { shape, data } = next;
      demand(data.length === elementCount(shape), `${elementCount(shape)} elements`);
    } else if (next instanceof Map) pending.push(...next.keys(), ...next.values());
    else if (Array.isArray(next)) pending.push(...next);
  }
}

const TENSORS: StateDict = new Map([
  ["backbone.conv.weight", hostTensor("float32", [2, 1, 2, 2], new Float32Array(8).fill(0.5))],
  ["empty", hostTensor("float32", [0, 4], new Float32Array())],
  ["steps", hostTensor("int64", [], BigInt64Array.of(7n))],
  ["mask", hostTensor("uint8", [3], Uint8Array.of(1, 0, 1))],
]);

const safetensors: Target = {
  name: "safetensors",
  corpus: async () => [
    ...await fixtures("checkpoints", /^(dtypes|views|parameters).*\.safetensors$/),
    await written((path) => writeSafetensors(path, TENSORS, { note: "text" })),
  ],
  async run(bytes, folder) {
    const file = await readSafetensors(bytes);
    for (const [name, { shape, data }] of file.tensors) {
      demand(data.length === elementCount(shape), `${elementCount(shape)} elements in ${name}`);
    }
    const path = join(folder, "again.safetensors");
    await writeSafetensors(path, file.tensors, Object.fromEntries(file.metadata));
    const again = await readSafetensors(path);
    const names = ({ tensors }: typeof file) => JSON.stringify([...tensors.keys()].sort());
    demand(names(again) === names(file), "the same tensors when written again");
  },
  allowedErrors: [WeightsFileError],
  dictionary: [
    '"F32"',
    '"BF16"',
    '"shape"',
    '"data_offsets"',
    "[0,0]",
    '"__proto__"',
    "__metadata__",
  ],
};

const STATE = { epoch: 3, step: 17, seeds: [1, 2], meters: { loss: 0.5 }, note: "as written" };

const checkpoint: Target = {
  name: "checkpoint",
  corpus: async () => [
    await written((path) => writeCheckpoint(path, { tensors: TENSORS, state: STATE })),
  ],
  async run(bytes, folder) {
    const path = join(folder, "checkpoint_e3.safetensors");
    await Deno.writeFile(path, bytes);
    const { state, tensors } = await readCheckpoint(path);
    // The checksum covers everything: what passes is what was written.
    demand(JSON.stringify(state) === JSON.stringify(STATE), "the state that was written");
    demand(contentOf(tensors) === contentOf(TENSORS), "the tensors that were written");
  },
  allowedErrors: [WeightsFileError],
  dictionary: ["siamban.state", "siamban.sha256", '"__metadata__"', '"F32"'],
};

function contentOf(tensors: StateDict): string {
  return JSON.stringify(
    [...tensors].map((
      [name, { dtype, shape, data }],
    ) => [name, dtype, shape, [...data].map(String)]),
  );
}

async function written(
  write: (path: string) => Promise<unknown>,
): Promise<Uint8Array<ArrayBuffer>> {
  const folder = new URL("../../../build/fuzz/", import.meta.url).pathname;
  await Deno.mkdir(folder, { recursive: true });
  const path = join(folder, `corpus-${crypto.randomUUID()}.safetensors`);
  try {
    await write(path);
    return await Deno.readFile(path);
  } finally {
    await Deno.remove(path);
  }
}

/** A checkpoint whose checksum is right, with any text for its state. */
const checkpointState: Target = {
  name: "checkpoint-state",
  corpus: () => [bytesOfText(JSON.stringify(TRAINING_STATE))],
  run(bytes) {
    const text = new TextDecoder().decode(bytes);
    const point = openCheckpoint({ tensors: TENSORS, state: JSON.parse(text) }, "a checkpoint");
    const { epoch, step } = point.position;
    demand(Number.isInteger(epoch) && epoch >= 0 && Number.isInteger(step), "a position");
  },
  allowedErrors: [RangeError, SyntaxError],
  dictionary: ['"epoch":', "null", "-1", '"__proto__":', "[]", "{}"],
};

/** As a training writes it. */
const TRAINING_STATE = {
  format: 1,
  experiment: "small",
  position: { epoch: 3, step: 17 },
  invariants: { seed: 5, batchSize: 2, stepsPerEpoch: 20 },
  averages: Object.fromEntries(
    ["batch_time", "data_time", "cls_loss", "loc_loss", "total_loss"].map((name) => [
      name,
      { window: 10, last: 0.5, mean: null, history: [0.5, 1.5], count: 2 },
    ]),
  ),
};

/** A snapshot of the published trainer, taken apart for the model that it is of. */
const torchSnapshot: Target = {
  name: "torch-snapshot",
  corpus: () => [concat([...torchFileChunks(toTorchSnapshot(SNAPSHOT))])],
  async run(bytes) {
    const { value } = await readTorchFile(bytes);
    const { epoch, tensors, sgd } = declared(() => {
      groupSizes(value);
      return restoreFrom(value, { model: SHAPES, groups: [["a"], ["b"]] });
    });
    demand(typeof epoch === "number" && sgd.groups.length === 2, "an epoch and two groups");
    for (const [name, { shape, data }] of [...tensors, ...sgd.momentum]) {
      demand(data.length === elementCount(shape), `${elementCount(shape)} elements in ${name}`);
    }
  },
  allowedErrors: [WeightsFileError, TypeError, RangeError],
  dictionary: PICKLE_WORDS,
};

/** Lets only those errors pass as they are whose words are the program's own. */
function declared<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if ((error as Error).message.startsWith("Cannot ")) throw error;
    throw new Error(`not declared: ${error}`);
  }
}

const SHAPES = new Map([["a", [2]], ["b", [1]]]);
const SNAPSHOT = {
  epoch: 3,
  stateDict: new Map([...SHAPES].map(([name, shape]) => [
    name,
    hostTensor("float32", shape, new Float32Array(elementCount(shape)).fill(0.25)),
  ])),
  sgd: {
    groups: ["a", "b"].map((name) => (
      { lr: 0.1, initialLr: 0.2, momentum: 0.9, weightDecay: 1e-4, parameters: [name] }
    )),
    momentum: new Map([["b", hostTensor("float32", [1], Float32Array.of(1))]]),
  },
};

export const WEIGHTS_TARGETS = [
  ...[torchZip, torchLegacy, torchHostile, torchSnapshot],
  ...[safetensors, checkpoint, checkpointState],
];
