import { overrideCpu } from "./override_cpu.ts";

export const expOnednn = overrideCpu("Exp", (cpu, { inputs: { x } }) => {
  if (x.dtype !== "float32") return undefined;
  const y = cpu.empty(x.shape);
  const size = x.shape.reduce((product, length) => product * length, 1);
  cpu.run("siamban_exp", { x, y }, { integers: [size] });
  return y;
});
