import { assertEquals } from "@std/assert";
import * as tf from "@tensorflow/tfjs";

/** Asserts that `run` leaves neither a tensor nor data of one behind. */
export function assertNoLeak(run: () => void): void {
  const before = liveTensors();
  run();
  assertEquals(liveTensors(), before, "Tensors before and after");
}

/** What the current backend holds. */
export function liveTensors(): { readonly tensors: number; readonly data: number } {
  return { tensors: tf.memory().numTensors, data: tf.engine().backend.numDataIds() };
}
