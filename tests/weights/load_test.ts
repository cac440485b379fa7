import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { elementCount, hostTensor, type StateDict } from "../../src/weights/host_tensor.ts";
import { checkKeys, findStateDict, removePrefix, selectTensors } from "../../src/weights/load.ts";
import { readWeights } from "../../src/weights/read_weights.ts";
import { CHECKPOINTS, readJson } from "./fixtures.ts";

interface LoadCase {
  tag: string;
  note: string;
  wrapped: boolean;
  checkpoint_keys: string[];
  checkpoint_shapes: Record<string, number[]>;
  model_keys: string[];
  model_shapes: Record<string, number[]>;
  changed_keys?: string[];
}

function zeros(keys: string[], shapes: Record<string, number[]>): StateDict {
  return new Map(keys.map((key) => {
    const shape = shapes[key];
    return [key, hostTensor("float32", shape, new Float32Array(elementCount(shape)))];
  }));
}

for (const c of readJson(CHECKPOINTS, "load_cases.json").cases as LoadCase[]) {
  Deno.test(`selectTensors() on ${c.tag}: ${c.note}`, () => {
    const tensors = zeros(c.checkpoint_keys, c.checkpoint_shapes);
    const file = c.wrapped ? new Map([["state_dict", tensors]]) : tensors;
    const model = new Map(c.model_keys.map((key) => [key, c.model_shapes[key]]));
    const select = () => selectTensors(findStateDict(file), model);
    if (c.changed_keys === undefined) return void assertThrows(select, RangeError, "Cannot load");
    const { tensors: selected, report } = select();
    assertEquals([...selected.keys()], c.changed_keys);
    assertEquals(report.used, c.changed_keys);
    const counters = c.model_keys.filter((key) =>
      !selected.has(key) && key.endsWith("num_batches_tracked")
    );
    assertEquals(
      report.used.length + report.missing.length + counters.length,
      c.model_keys.length,
    );
    assertEquals(report.used.length + report.unused.length, c.checkpoint_keys.length);
  });
}

const one = hostTensor("float32", [1], new Float32Array(1));
const oneShape = [1];

Deno.test("checkKeys() reports used, unused and missing, without batch-norm counters", () => {
  assertEquals(
    checkKeys(["a", "b", "bn.num_batches_tracked"], ["b", "c"]),
    { used: ["b"], unused: ["c"], missing: ["a"] },
  );
});

Deno.test("removePrefix() removes one prefix, at the beginning only", () => {
  const entries = new Map([["module.a", 1], ["module.module.b", 2], ["c.module.d", 3]]);
  assertEquals([...removePrefix(entries, "module.").keys()], ["a", "module.b", "c.module.d"]);
});

Deno.test("selectTensors() adds features. only where no key fits without it", () => {
  const model = new Map([["0.w", oneShape], ["features.1.w", oneShape]]);
  const both = selectTensors(new Map([["0.w", one], ["1.w", one]]), model);
  assertEquals([both.report.addedPrefix, both.report.used], ["", ["0.w"]]);
  const prefixed = selectTensors(new Map([["module.1.w", one]]), model);
  assertEquals([prefixed.report.addedPrefix, prefixed.report.used], ["features.", [
    "features.1.w",
  ]]);
});

Deno.test("selectTensors() names tensor, both shapes and what to check", () => {
  const weight = hostTensor("float32", [2, 1], new Float32Array(2));
  const model = new Map([["neck.a.weight", [2, 3]], ["neck.b.weight", [1]]]);
  const error = assertThrows(
    () => selectTensors(new Map([["neck.a.weight", weight], ["neck.b.weight", weight]]), model),
    RangeError,
  );
  assertEquals(
    (error as Error).message,
    'Cannot load "neck.a.weight": shape is [2, 1], expected [2, 3] (and 1 more), ' +
      "check that the neck of the config is the one that the weights were trained with",
  );
});

Deno.test("selectTensors() shows names of both sides when nothing fits", () => {
  const error = assertThrows(
    () => selectTensors(new Map([["encoder.w", one]]), new Map([["backbone.w", oneShape]])),
    RangeError,
  ) as Error;
  assertStringIncludes(error.message, '"encoder.w"');
  assertStringIncludes(error.message, '"backbone.w"');
});

Deno.test("findStateDict() says which keys there are when none is a tensor", () => {
  assertThrows(
    () => findStateDict(new Map([["model", new Map([["w", one]])]])),
    TypeError,
    '"model"',
  );
  assertThrows(() => findStateDict([one]), TypeError, "a list");
});

Deno.test("readWeights() finds the state dict in either kind of file", async () => {
  const torch = await readWeights(join(CHECKPOINTS, "train_epoch3_zip.pth"));
  const safe = await readWeights(join(CHECKPOINTS, "state_dict.expected.safetensors"));
  assertEquals([...torch.keys()], [...safe.keys()]);
});
