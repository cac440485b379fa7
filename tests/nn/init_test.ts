import { assertAlmostEquals, assertEquals } from "@std/assert";
import { Conv2d, initNormal, initUniform } from "../../src/nn/mod.ts";
import { Rng } from "../../src/random.ts";
import { testOnBackends } from "../support/backends.ts";

testOnBackends("initUniform() fills ±1 / √(fan in), biases too", () => {
  using conv = new Conv2d(8, 64, { kernel: 3, groups: 2 });
  initUniform(conv, new Rng(3));
  const bound = 1 / Math.sqrt(9 * 4);
  for (const { tensor } of [conv.weight, conv.bias!]) {
    const largest = Math.max(...tensor.dataSync().map(Math.abs));
    assertEquals(largest <= bound && largest > 0.9 * bound, true, `largest is ${largest}`);
  }
});

testOnBackends("initNormal() has the deviation √(2 / fan out)", () => {
  using conv = new Conv2d(16, 64, { kernel: 3, bias: false });
  initNormal(conv, new Rng(3));
  const values = conv.weight.tensor.dataSync<"float32">();
  const deviation = Math.sqrt(
    values.reduce((sum, value) => sum + value * value, 0) / values.length,
  );
  assertAlmostEquals(deviation, Math.sqrt(2 / (9 * 64)), 0.002);
});

testOnBackends("initUniform() draws each layer from its own stream", () => {
  const draw = (channels: number) => {
    const layers = [new Conv2d(1, channels, { kernel: 1 }), new Conv2d(2, 2, { kernel: 1 })];
    initUniform(layers, new Rng(3));
    const values = layers[1].weight.tensor.dataSync();
    for (const layer of layers) layer[Symbol.dispose]();
    return values;
  };
  assertEquals(draw(2), draw(5));
});
