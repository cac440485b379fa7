import { assertEquals } from "@std/assert";
import { toTensor } from "../../src/backends/mod.ts";
import { useBackend } from "../../src/backends/mod.ts";
import { BACKENDS, testOnBackends } from "../support/backends.ts";
import { assertNoLeak } from "../support/leaks.ts";

const bytes = Uint8Array.from({ length: 2 * 15 * 17 * 3 }, (_, i) => i % 256);
const shape = [2, 15, 17, 3];

testOnBackends("toTensor() makes floats of bytes", () => {
  assertNoLeak(() => {
    const tensor = toTensor({ values: bytes, shape, dtype: "float32" });
    assertEquals([tensor.shape, tensor.dtype], [shape, "float32"]);
    assertEquals(tensor.dataSync(), Float32Array.from(bytes));
    tensor.dispose();
  });
});

for (const precision of ["float32", "bf16"] as const) {
  Deno.test({
    name: `toTensor() brings bytes to the device as bytes, for ${precision}`,
    ignore: !BACKENDS.find(({ name }) => name === "emulated")!.available,
    async fn() {
      await using backend = await useBackend("emulated", { precision });
      const { uploadedBytes } = backend.cuda!.statistics();
      const tensor = toTensor({ values: bytes, shape, dtype: "float32" });
      assertEquals(backend.cuda!.statistics().uploadedBytes - uploadedBytes, bytes.length);
      assertEquals(tensor.dataSync(), Float32Array.from(bytes));
      tensor.dispose();
    },
  });
}
