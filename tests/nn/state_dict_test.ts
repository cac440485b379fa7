import { assertEquals, assertThrows } from "@std/assert";
import {
  BatchNorm2d,
  Conv2d,
  fromTorchLayout,
  type Layer,
  loadStateDict,
  stateDict,
  stateShapes,
  toTorchLayout,
} from "../../src/nn/mod.ts";
import { hostTensor, type StateDict } from "../../src/weights/mod.ts";
import { testOnBackends } from "../support/backends.ts";

function network(): readonly Layer[] {
  return [new Conv2d(3, 2, { kernel: 2 }), new BatchNorm2d(2)];
}

/** Every tensor counts up from 0, so that a wrong order shows. */
function counting(model: readonly Layer[]): StateDict {
  return new Map([...stateShapes(model)].map(([name, shape]) => {
    const length = shape.reduce((product, size) => product * size, 1);
    return [
      name,
      name.endsWith("tracked")
        ? hostTensor("int64", shape, BigInt64Array.of(7n))
        : hostTensor("float32", shape, Float32Array.from({ length }, (_, i) => i)),
    ];
  }));
}

Deno.test("toTorchLayout() moves channels in front of positions, fromTorchLayout() back", () => {
  const ohwi = Float32Array.from({ length: 12 }, (_, i) => i); // [1, 2, 2, 3]
  const oihw = toTorchLayout(ohwi, [1, 2, 2, 3]);
  assertEquals([...oihw], [0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11]);
  assertEquals(fromTorchLayout(oihw, [1, 2, 2, 3]), ohwi);
});

testOnBackends("loadStateDict() and stateDict() round in PyTorch's layout", () => {
  const model = network();
  const weights = counting(model);
  loadStateDict(model, weights);
  assertEquals(stateDict(model), weights);
  const [conv] = model as [Conv2d];
  // Element [0, 0, 0, 1] of OHWI is element [0, 1, 0, 0] of OIHW, the fifth of 2 x 2 positions.
  assertEquals(conv.weight.tensor.dataSync()[1], 4);
  for (const layer of model) layer[Symbol.dispose]();
});

testOnBackends("loadStateDict() changes nothing if one shape is wrong", () => {
  const model = network();
  const before = stateDict(model);
  const weights = new Map(counting(model));
  weights.set("1.bias", hostTensor("float32", [3], new Float32Array(3)));
  assertThrows(
    () => loadStateDict(model, weights),
    RangeError,
    'Cannot load "1.bias": shape is [3], expected [2]',
  );
  assertEquals(stateDict(model), before);
  for (const layer of model) layer[Symbol.dispose]();
});

testOnBackends("loadStateDict() asks for the same keys unless told otherwise", () => {
  const model = network();
  const weights = new Map(counting(model));
  weights.delete("1.num_batches_tracked"); // older checkpoints do not have it
  loadStateDict(model, weights);
  weights.delete("0.bias");
  assertThrows(() => loadStateDict(model, weights), RangeError, "0.bias");
  loadStateDict(model, weights, { strict: false });
  for (const layer of model) layer[Symbol.dispose]();
});
