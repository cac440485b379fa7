import type { NativeHandle } from "../../ffi/handle.ts";
import type { Driver } from "./bindings/driver.ts";
import type { CudaStream } from "./stream.ts";

/** A device and the queue whose work is timed. */
export interface TimedDevice {
  readonly driver: Driver;
  readonly stream: CudaStream;
}

/**
 * Times work on the device, by its own clock.
 *
 * @param queue Queues the work; called `repeats` times between two events, once before.
 * @returns Milliseconds of one call.
 */
export function timeOnDevice(
  { driver, stream }: TimedDevice,
  queue: () => void,
  repeats = 10,
): number {
  using start = driver.createEvent({ timing: true });
  using end = driver.createEvent({ timing: true });
  queue();
  stream.synchronize();
  driver.recordEvent(start.address, stream.address);
  for (let i = 0; i < repeats; i++) queue();
  driver.recordEvent(end.address, stream.address);
  driver.synchronizeEvent(end.address);
  return driver.elapsed(start.address, end.address) / repeats;
}

/**
 * Times work as {@linkcode timeOnDevice} does, but replayed as one graph: the time in which the host queues it does
 * not count, so that it tells of kernels shorter than that, too.
 */
export function timeRecorded(device: TimedDevice, queue: () => void, repeats = 10): number {
  const { driver, stream } = device;
  queue(); // kernels are compiled, memory is taken
  stream.synchronize();
  using graph = capture(device, () => {
    for (let i = 0; i < repeats; i++) queue();
  });
  const launch = () => driver.launchGraph(graph.address, stream.address);
  return timeOnDevice(device, launch, 3) / repeats;
}

function capture({ driver, stream }: TimedDevice, queue: () => void): NativeHandle {
  driver.beginCapture(stream.address);
  try {
    queue();
  } catch (error) {
    driver.abandonCapture(stream.address);
    throw error;
  }
  return driver.endCapture(stream.address);
}
