import { assert, assertEquals, assertThrows } from "@std/assert";
import { CudaError } from "../../../../src/backends/cuda/bindings/status.ts";
import { type TestDevice, testOnDevice } from "./device.ts";

const ADD = `extern "C" __global__ void add(float *x, float value) { x[threadIdx.x] += value; }`;

/** Page-locked floats. */
function pinned(device: TestDevice, length: number): Float32Array<ArrayBuffer> {
  const handle = device.driver.allocatePinned(4 * length);
  return new Float32Array(Deno.UnsafePointerView.getArrayBuffer(handle.pointer, 4 * length));
}

function streams(device: TestDevice): [bigint, bigint] {
  return [device.driver.createStream().address, device.driver.createStream().address];
}

testOnDevice(
  "A read before synchronising does not see a pinned copy, a read after does",
  (device) => {
    const [stream] = streams(device), host = pinned(device, 32).fill(7);
    const x = device.upload(new Float32Array(32).fill(3));
    device.driver.synchronizeStream(0n);
    device.driver.copyToHost(host, x, stream);
    assert(Number.isNaN(host[0]));
    device.driver.synchronizeStream(stream);
    assertEquals(host[0], 3);
  },
);

testOnDevice(
  "A pinned source is read when the copy's turn comes, other memory at once",
  (device) => {
    const [stream] = streams(device), fixed = pinned(device, 8).fill(1);
    const plain = new Float32Array(8).fill(1);
    const addresses = [fixed, plain].map((source) => {
      const address = device.driver.allocate(32)!;
      device.driver.copyToDevice(address, source, stream);
      source.fill(2); // too early for the pinned one
      return address;
    });
    device.driver.synchronizeStream(stream);
    assertEquals(addresses.map((address) => device.download(address, 8)[0]), [2, 1]);
  },
);

testOnDevice("Streams are not ordered without an event, and are with one", (device) => {
  const [first, second] = streams(device), add = device.kernel(ADD, "add");
  const copyAfterAdd = (order: () => void) => {
    const x = device.upload(new Float32Array(32)), y = device.upload(new Float32Array(32));
    device.driver.synchronize();
    device.launch(add, { args: [x, { float: 5 }], stream: first });
    order();
    device.driver.copy(y, x, { bytes: 128, stream: second });
    device.driver.synchronizeStream(second);
    return device.download(y, 32)[9];
  };
  const event = device.driver.createEvent().address;
  assertEquals(copyAfterAdd(() => {}), 0);
  assertEquals(
    copyAfterAdd(() => {
      device.driver.recordEvent(event, first);
      device.driver.waitEvent(second, event);
    }),
    5,
  );
});

testOnDevice("A query says that work is left, and in the end that it is done", (device) => {
  const [stream] = streams(device), event = device.driver.createEvent().address;
  const x = device.upload(new Float32Array(32)), add = device.kernel(ADD, "add");
  device.driver.synchronize();
  for (let i = 0; i < 50; i++) device.launch(add, { args: [x, { float: 1 }], stream });
  device.driver.recordEvent(event, stream);
  let queries = 1;
  while (!device.driver.queryEvent(event)) queries++;
  assert(queries < 50);
  assertEquals(device.download(x, 32)[0], 50);
});

testOnDevice("Timing events measure what lies between them", (device) => {
  const [stream] = streams(device), x = device.upload(new Float32Array(32));
  const [start, end] = [0, 1].map(() => device.driver.createEvent({ timing: true }).address);
  device.driver.recordEvent(start, stream);
  device.launch(device.kernel(ADD, "add"), { args: [x, { float: 1 }], stream });
  device.driver.recordEvent(end, stream);
  assertThrows(() => device.driver.elapsed(start, end), CudaError, "NOT_READY");
  device.driver.synchronizeEvent(end);
  assert(device.driver.elapsed(start, end) >= 0);
});

testOnDevice("A capture runs nothing; its graph runs as often as it is launched", (device) => {
  const [stream, other] = streams(device), add = device.kernel(ADD, "add");
  const x = device.upload(new Float32Array(32)), y = device.upload(new Float32Array(32));
  device.driver.synchronize();
  const [forked, joined] = [0, 1].map(() => device.driver.createEvent().address);
  device.driver.beginCapture(stream);
  device.launch(add, { args: [x, { float: 1 }], stream });
  device.driver.recordEvent(forked, stream);
  device.driver.waitEvent(other, forked);
  device.launch(add, { args: [x, { float: 10 }], stream: other });
  device.driver.recordEvent(joined, other);
  device.driver.waitEvent(stream, joined);
  device.driver.copy(y, x, { bytes: 128, stream });
  const graph = device.driver.endCapture(stream).address;
  device.driver.synchronize();
  assertEquals(device.download(x, 32)[0], 0);
  for (let i = 0; i < 3; i++) device.driver.launchGraph(graph, stream);
  device.driver.synchronizeStream(stream);
  assertEquals([device.download(x, 32)[31], device.download(y, 32)[31]], [33, 33]);
});

const FORBIDDEN: readonly {
  readonly what: string;
  readonly call: (device: TestDevice, stream: bigint) => void;
  readonly status: number;
}[] = [
  {
    what: "waiting for the stream",
    call: (device, stream) => device.driver.synchronizeStream(stream),
    status: 900,
  },
  {
    what: "a copy to host memory that is not pinned",
    call: (device, stream) =>
      device.driver.copyToHost(new Float32Array(1), device.driver.allocate(4)!, stream),
    status: 900,
  },
];

for (const { what, call, status } of FORBIDDEN) {
  testOnDevice(`A capture is spoiled by ${what}`, (device) => {
    const [stream] = streams(device);
    device.driver.beginCapture(stream);
    assertEquals(assertThrows(() => call(device, stream), CudaError).status, status);
    assertEquals(assertThrows(() => device.driver.endCapture(stream), CudaError).status, 901);
    device.driver.synchronizeStream(stream);
  });
}

testOnDevice("A capture ends only when the streams that joined it came back", (device) => {
  const [stream, other] = streams(device), event = device.driver.createEvent().address;
  const x = device.upload(new Float32Array(32));
  device.driver.beginCapture(stream);
  device.driver.recordEvent(event, stream);
  device.driver.waitEvent(other, event);
  device.launch(device.kernel(ADD, "add"), { args: [x, { float: 1 }], stream: other });
  assertEquals(assertThrows(() => device.driver.endCapture(stream), CudaError).status, 904);
});

testOnDevice(
  "Memory that a graph uses and that was freed is found when it is launched",
  (device) => {
    const [stream] = streams(device), x = device.upload(new Float32Array(32));
    device.driver.beginCapture(stream);
    device.launch(device.kernel(ADD, "add"), { args: [x, { float: 1 }], stream });
    const graph = device.driver.endCapture(stream).address;
    device.driver.free(x);
    device.driver.launchGraph(graph, stream);
    assertThrows(() => device.driver.synchronizeStream(stream), CudaError, "already freed");
  },
);
