import { assertEquals } from "@std/assert";
import {
  BatchNorm2d,
  Conv2d,
  type Layer,
  Module,
  modules,
  namedEntries,
  namedParameters,
  ReLU,
  setTrainable,
  setTraining,
  toKey,
} from "../../src/nn/mod.ts";
import { assertNoLeak } from "../support/leaks.ts";
import { testOnBackends } from "../support/backends.ts";

class Branch extends Module {
  readonly convKernel: readonly Layer[] = [
    new Conv2d(2, 4, { kernel: 3, groups: 2, bias: false }),
    new BatchNorm2d(4),
    new ReLU(),
    new Conv2d(4, 2, { kernel: 1 }),
  ];
  /** No part of the model. */
  readonly sizes = [1, 2];
}

class Net extends Module {
  readonly branch = new Branch();
  readonly absent?: Branch;
  readonly last = new Conv2d(2, 1, { kernel: 1 });
}

Deno.test("toKey() spells fields as PyTorch does", () => {
  assertEquals(["convKernel", "numBatchesTracked", "bn1", "box2"].map(toKey), [
    "conv_kernel",
    "num_batches_tracked",
    "bn1",
    "box2",
  ]);
});

testOnBackends("namedEntries() lists parameters, then buffers, then parts", () => {
  using net = new Net();
  assertEquals([...namedEntries(net)].map(({ name }) => name), [
    "branch.conv_kernel.0.weight",
    "branch.conv_kernel.1.weight",
    "branch.conv_kernel.1.bias",
    "branch.conv_kernel.1.running_mean",
    "branch.conv_kernel.1.running_var",
    "branch.conv_kernel.1.num_batches_tracked",
    "branch.conv_kernel.3.weight",
    "branch.conv_kernel.3.bias",
    "last.weight",
    "last.bias",
  ]);
});

testOnBackends("setTraining() and setTrainable() reach every part", () => {
  using net = new Net();
  setTraining(net.branch, false);
  setTrainable(net.branch, false);
  assertEquals([...modules(net)].map(({ training }) => training), [
    ...[true, false, false, false, false, false, true],
  ]);
  const trainable = namedParameters(net).filter(({ parameter }) => parameter.trainable);
  assertEquals([...trainable].map(({ name }) => name), ["last.weight", "last.bias"]);
});

testOnBackends("A disposed module leaves no tensor", () => {
  assertNoLeak(() => new Net()[Symbol.dispose]());
});
