import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { Cudnn } from "../../../../src/backends/cuda/bindings/cudnn.ts";
import {
  type Attributes,
  CudnnGraphs,
} from "../../../../src/backends/cuda/bindings/cudnn_graph.ts";
import { CudaError } from "../../../../src/backends/cuda/bindings/status.ts";
import { librariesFrom } from "../../../../src/backends/cuda/libraries.ts";
import { type TestDevice, testOnDevice } from "./device.ts";

/** y `[1, 6, 5, 5]` = x `[1, 4, 5, 5]` with filters of 3 x 3, in cuDNN's order of axes. */
const TENSORS = {
  x: { id: 1, sizes: [1, 4, 5, 5], strides: [100, 1, 20, 4] },
  weight: { id: 2, sizes: [6, 4, 3, 3], strides: [36, 1, 12, 4] },
  y: { id: 3, sizes: [1, 6, 5, 5], strides: [150, 1, 30, 6] },
} as const;
const GEOMETRY = {
  computeType: 0,
  mode: 1,
  spatialAxes: 2,
  dilations: [1, 1],
  strides: [1, 1],
  paddingsBefore: [1, 1],
  paddingsAfter: [1, 1],
};

/** A graph of one convolution, with changes of its parts. */
class Description {
  readonly graphs: CudnnGraphs;
  readonly handle: bigint;
  readonly stream: bigint;

  constructor(readonly device: TestDevice) {
    const { cudnn } = librariesFrom(device.library);
    this.graphs = new CudnnGraphs(cudnn);
    this.stream = device.driver.createStream().address;
    this.handle = new Cudnn(cudnn).createHandle(this.stream).address;
  }

  tensor(name: keyof typeof TENSORS, change: Attributes<"tensor"> = {}): bigint {
    return this.graphs.make("tensor", { type: 0, alignment: 16, ...TENSORS[name], ...change })
      .address;
  }

  operation(change: Attributes<"convolutionForward"> = {}): bigint {
    const { address: convolution } = this.graphs.make("convolution", GEOMETRY);
    const [x, weight, y] = (["x", "weight", "y"] as const).map((name) => this.tensor(name));
    const parts = { alpha: 1, beta: 0, convolution, x, weight, y, ...change };
    return this.graphs.make("convolutionForward", parts).address;
  }

  plan(): bigint {
    const { graphs, handle } = this;
    const { address: graph } = graphs.make("graph", { handle, operations: [this.operation()] });
    const { address: heuristics } = graphs.make("heuristics", { graph, mode: 2 });
    const [config] = graphs.parts(heuristics, {
      kind: "heuristics",
      name: "results",
      of: "engineConfig",
    });
    return graphs.make("plan", { handle, config: config.address }).address;
  }
}

const REFUSALS: readonly (readonly [string, (d: Description) => void, number, RegExp])[] = [
  ["a missing attribute", (d) => d.graphs.make("tensor", { id: 1 }), 2000, /tensor.*900.*not set/],
  [
    "sizes without as many strides",
    (d) => d.tensor("x", { strides: [20, 4, 1] }),
    2000,
    /4 sizes and 3 strides/,
  ],
  ["a size of nothing", (d) => d.tensor("x", { sizes: [1, 0, 5, 5] }), 2000, /not positive/],
  ["an odd alignment", (d) => d.tensor("x", { alignment: 6 }), 2000, /no multiple/],
  ["too many values", (d) => d.tensor("x", { id: [1, 2] }), 2000, /906 has 2 values/],
  [
    "shapes that do not agree",
    (d) => d.operation({ y: d.tensor("y", { sizes: [1, 6, 5, 4] }) }),
    2000,
    /expected \[1, 6, 5, 5\]/,
  ],
  [
    "a descriptor of the wrong kind",
    (d) => d.operation({ x: d.graphs.make("convolution", GEOMETRY).address }),
    2012,
    /of kind 1, expected 17/,
  ],
  [
    "a result that nobody can read",
    (d) =>
      d.graphs.make("graph", {
        handle: d.handle,
        operations: [d.operation({ y: d.tensor("y", { virtual: true }) })],
      }),
    3001,
    /all but the last must be virtual/,
  ],
  [
    "a plan without memory for a tensor",
    (d) => {
      const pack = d.graphs.make("variantPack", { ids: [1], addresses: [4096n], workspace: 0 });
      d.graphs.execute(d.handle, d.plan(), pack.address);
    },
    2000,
    /no memory for tensor 2/,
  ],
  [
    "memory that is not aligned",
    (d) => {
      const addresses = [4100n, 4096n, 4096n];
      const pack = d.graphs.make("variantPack", { ids: [1, 2, 3], addresses, workspace: 0 });
      d.graphs.execute(d.handle, d.plan(), pack.address);
    },
    2003,
    /tensor 1 lies at 0x1004/,
  ],
];

for (const [what, make, status, says] of REFUSALS) {
  testOnDevice(`cuDNN's graph API refuses ${what}`, (device) => {
    const error = assertThrows(() => make(new Description(device)), CudaError);
    assertEquals(error.status, status, error.message);
    assertMatch(error.message, says);
  });
}

testOnDevice("cuDNN's graph API computes a convolution when the stream is waited for", (device) => {
  const description = new Description(device);
  const { graphs, handle, stream } = description;
  const addresses = [
    device.upload(new Float32Array(100).fill(1)),
    device.upload(new Float32Array(216).fill(0.5)),
    device.driver.allocate(4 * 150)!,
  ];
  device.driver.synchronize();
  const pack = graphs.make("variantPack", { ids: [1, 2, 3], addresses, workspace: 0 });
  graphs.execute(handle, description.plan(), pack.address);
  device.driver.synchronizeStream(stream);
  const y = device.download(addresses[2], 150);
  assertEquals([y[0], y[6 * (2 * 5 + 2)]], [0.5 * 4 * 4, 0.5 * 4 * 9]);
});

testOnDevice("cuDNN's graph API reports memory that is too small for a tensor", (device) => {
  const description = new Description(device);
  const { graphs, handle, stream } = description;
  const [x, weight, y] = [100, 216, 149].map((length) => device.driver.allocate(4 * length)!);
  const pack = graphs.make("variantPack", {
    ids: [1, 2, 3],
    addresses: [x, weight, y],
    workspace: 0,
  });
  graphs.execute(handle, description.plan(), pack.address);
  const broken = assertThrows(() => device.driver.synchronizeStream(stream), CudaError);
  assertMatch(broken.message, /graph: y: 600 bytes at .* are not in one allocation/);
});
