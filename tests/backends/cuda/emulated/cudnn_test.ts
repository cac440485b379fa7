import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  Cudnn,
  CUDNN_TYPE,
  type PassDescriptors,
} from "../../../../src/backends/cuda/bindings/cudnn.ts";
import { CudaError } from "../../../../src/backends/cuda/bindings/status.ts";
import { librariesFrom } from "../../../../src/backends/cuda/libraries.ts";
import { type TestDevice, testOnDevice } from "./device.ts";

const SHAPES = { x: [2, 7, 6, 4], weight: [6, 3, 3, 2], y: [2, 4, 3, 6] };
const GEOMETRY = { padding: 1, stride: 2, dilation: 1, groups: 2, math: 3 };

function describe(
  cudnn: Cudnn,
  shapes: typeof SHAPES,
  geometry = GEOMETRY,
): PassDescriptors {
  const type = CUDNN_TYPE.float32;
  return {
    first: cudnn.tensor(shapes.x, type).address,
    second: cudnn.filter(shapes.weight, type).address,
    convolution: cudnn.convolution(geometry).address,
    output: cudnn.tensor(shapes.y, type).address,
  };
}

const algorithms = (device: TestDevice, shapes: typeof SHAPES, geometry = GEOMETRY) => {
  const cudnn = new Cudnn(librariesFrom(device.library).cudnn);
  const handle = cudnn.createHandle(device.driver.createStream().address).address;
  return cudnn.algorithms(handle, "forward", describe(cudnn, shapes, geometry));
};

testOnDevice("cuDNN knows algorithms for a convolution whose shapes agree", (device) => {
  const usable = algorithms(device, SHAPES).filter(({ status }) => status === 0);
  assertEquals(usable.map(({ algorithm }) => algorithm), [1, 0, 2]);
});

const MISMATCHES: readonly [string, Partial<typeof SHAPES>, RegExp][] = [
  ["a wrong output", { y: [2, 4, 4, 6] }, /output is \[2, 6, 4, 4\].*expected \[2, 6, 4, 3\]/],
  ["wrong channels", { x: [2, 7, 6, 5] }, /input has 5 channels, filters of 2 in 2 groups take 4/],
  [
    "filters that the groups do not divide",
    { weight: [7, 3, 3, 2] },
    /7 filters are not a multiple/,
  ],
];
for (const [what, change, says] of MISMATCHES) {
  testOnDevice(`cuDNN refuses ${what}`, (device) => {
    const error = assertThrows(() => algorithms(device, { ...SHAPES, ...change }), CudaError);
    assertEquals(error.status, 2000);
    assertMatch(error.message, says);
  });
}

testOnDevice(
  "cuDNN refuses a workspace that is too small, and reports memory that is",
  (device) => {
    const cudnn = new Cudnn(librariesFrom(device.library).cudnn);
    const stream = device.driver.createStream().address;
    const handle = cudnn.createHandle(stream).address;
    const call = {
      descriptors: describe(cudnn, SHAPES),
      memory: {
        first: device.upload(new Float32Array(2 * 7 * 6 * 4)),
        second: device.upload(new Float32Array(6 * 3 * 3 * 2)),
        output: device.driver.allocate(4 * 2 * 4 * 3 * 6 - 4)!,
        workspace: 0n,
        workspaceBytes: 0,
      },
      algorithm: 1,
    };
    const refused = assertThrows(() => cudnn.run(handle, "forward", call), CudaError);
    assertMatch(refused.message, /algorithm 1 needs 292 bytes of workspace, 0 are given/);
    cudnn.run(handle, "forward", { ...call, algorithm: 0 });
    const broken = assertThrows(() => device.driver.synchronizeStream(stream), CudaError);
    assertEquals(broken.status, 700);
    assertMatch(broken.message, /convolution: y: 576 bytes at .* are not in one allocation/);
  },
);
