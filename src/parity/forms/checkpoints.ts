import { basename, dirname, join } from "@std/path";
import { z } from "zod";
import { bytesOf, readSafetensors, readTorchFile, type StateDict } from "../../weights/mod.ts";
import { OrderedDict, type PythonValue, TorchTensor } from "../../weights/mod.ts";
import { type Check, check } from "../check.ts";
import { defineForm, eachCase } from "../form.ts";

const torchFile = z.object({
  format: z.string(),
  tree: z.unknown(),
  /** The tensors' contents. */
  tensors: z.string(),
  metadata: z.unknown().optional(),
  globals: z.array(z.string()).optional(),
});

/** PyTorch files, to be read exactly. */
export const checkpointsForm = defineForm({
  section: "checkpoints",
  content: z.record(z.string(), torchFile).refine((files) => Object.keys(files).length > 0),
  async *compare({ path, content, folder, beside }) {
    yield* eachCase(Object.entries(content), {
      folder,
      name: ([file]) => file,
      needs: ([file, { tensors }]) => [beside(file), beside(tensors)],
      compare: ([file, expected], name) => {
        const place = folder.pathOf(dirname(path));
        return checkTorchFile(name, join(place, basename(file)), {
          ...expected,
          tensors: join(place, expected.tensors),
        });
      },
    });
  },
});

async function checkTorchFile(
  name: string,
  path: string,
  { format, tree, tensors, metadata, globals }: z.infer<typeof torchFile>,
): Promise<Check> {
  const contents = (await readSafetensors(tensors)).tensors;
  const file = await readTorchFile(path);
  const faults = [...differences(file.value, tree, { at: "", contents })];
  if (metadata) {
    const found = file.value instanceof OrderedDict ? file.value.metadata : undefined;
    faults.push(...differences(found, metadata, { at: "_metadata", contents }));
  }
  if (file.format !== format) faults.push(`format is ${file.format}, expected ${format}`);
  if (globals && `${file.names}` !== `${globals}`) {
    faults.push(`names are ${file.names}, expected ${globals}`);
  }
  return check(name, { error: faults.length, tolerance: 0, detail: faults[0] ?? "equal" });
}

interface Place {
  /** Path of the value in the file. */
  readonly at: string;
  readonly contents: StateDict;
}

/** Where a value differs from its description (`$tensor`, `$tuple`, `$dict`, …), in words. */
function* differences(value: unknown, expected: unknown, place: Place): Generator<string> {
  const { at, contents } = place;
  const described = Object(expected) as Description;
  const scalar = (wanted: unknown) => {
    const equal = Object.is(value, wanted);
    return equal ? [] : [`${at || "the value"} is ${show(value)}, expected ${show(wanted)}`];
  };
  if (typeof expected !== "object" || expected === null) yield* scalar(expected);
  else if ("$tensor" in expected) yield* tensorDifferences(value, described, { at, contents });
  else if ("$numpy" in expected) yield* scalar(described.value);
  else if ("$bigint" in expected) yield* scalar(BigInt(described.$bigint!));
  else if ("$bytes" in expected) {
    const equal = value instanceof Uint8Array && `${value}` === `${described.$bytes}`;
    if (!equal) yield `${at} is ${show(value)}, expected bytes ${described.$bytes}`;
  } else if ("$tuple" in expected || Array.isArray(expected)) {
    yield* listDifferences(value, described.$tuple ?? expected as unknown[], {
      frozen: "$tuple" in expected,
      ...place,
    });
  } else yield* dictDifferences(value, described, place);
}

/** What a description may hold. */
interface Description {
  readonly $tensor?: string;
  readonly $tuple?: readonly unknown[];
  readonly $dict?: readonly (readonly [PythonValue, unknown])[];
  readonly $bigint?: string;
  readonly $bytes?: readonly number[];
  readonly value?: unknown;
  readonly dtype?: string;
  readonly shape?: readonly number[];
  readonly stride?: readonly number[];
  readonly storage_offset?: number;
  readonly parameter?: boolean;
  readonly requires_grad?: boolean;
}

function* listDifferences(
  value: unknown,
  items: readonly unknown[],
  { at, contents, frozen }: Place & { readonly frozen: boolean },
): Generator<string> {
  if (!Array.isArray(value) || value.length !== items.length) {
    yield `${at} is ${show(value)}, expected a list of ${items.length}`;
  } else if (Object.isFrozen(value) !== frozen) {
    yield `${at} is ${frozen ? "a list, expected a tuple" : "a tuple, expected a list"}`;
  } else {
    for (const [i, item] of items.entries()) {
      yield* differences(value[i], item, { at: `${at}[${i}]`, contents });
    }
  }
}

function* dictDifferences(
  value: unknown,
  expected: Description,
  { at, contents }: Place,
): Generator<string> {
  if (!(value instanceof Map)) return yield `${at} is ${show(value)}, expected a dict`;
  const entries = expected.$dict ?? Object.entries(expected);
  const keys = entries.map(([key]) => key), found = [...value.keys()];
  // A JSON object puts keys that look like integers first.
  const isOrdered = expected.$dict || !keys.some((key) => /^\d+$/.test(String(key)));
  if (!isOrdered) [keys, found].forEach((list) => list.sort());
  if (keys.length !== found.length || keys.some((key, i) => key !== found[i])) {
    yield `${at || "the value"} has the keys ${found}, expected ${keys}`;
  }
  for (const [key, item] of entries) {
    if (value.has(key)) yield* differences(value.get(key), item, { at: `${at}/${key}`, contents });
  }
}

function* tensorDifferences(
  value: unknown,
  expected: Description,
  { at, contents }: Place,
): Generator<string> {
  if (!(value instanceof TorchTensor)) return yield `${at} is ${show(value)}, expected a tensor`;
  const { dtype, shape, layout, isParameter, requiresGrad } = value;
  const described = (parts: readonly unknown[]) => parts.map((part) => `[${part}]`).join(" ");
  const found = described([
    ...[dtype, shape, layout.strides, layout.offset, isParameter, requiresGrad],
  ]);
  const wanted = described([
    ...[expected.dtype, expected.shape, expected.stride, expected.storage_offset],
    ...[expected.parameter, expected.requires_grad],
  ]);
  if (found !== wanted) yield `${at} is ${found}, expected ${wanted}`;
  const content = contents.get(expected.$tensor!);
  if (!content) return yield `${at}: there is no golden tensor ${expected.$tensor}`;
  const bytes = bytesOf(value), wantedBytes = bytesOf(content);
  const different = bytes.length !== wantedBytes.length ||
    bytes.some((byte, i) => byte !== wantedBytes[i]);
  if (different) yield `${at} has other elements`;
}

function show(value: unknown): string {
  if (value instanceof Map) return "a dict";
  if (value instanceof TorchTensor) return "a tensor";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
