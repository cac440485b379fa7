/** The geometry of every leaf module, in the words of a golden model. */
import { BatchNorm2d, Conv2d, MaxPool2d, Module, namedChildren, type Sequence } from "../nn/mod.ts";
import { type Check, checkEqual } from "./check.ts";
import type { GoldenLayers } from "./golden_model.ts";

/** Compares all leaf modules: name, type, geometry and order. */
export function checkLayers(name: string, model: Module, golden: GoldenLayers): Check {
  const expected = golden.modules.map(([key, type, geometry]) => format(key, type, geometry));
  return checkEqual(name, [...leaves(model, "")], expected);
}

function* leaves(parent: Module | Sequence, prefix: string): Generator<string> {
  for (const { name, child } of namedChildren(parent)) {
    const path = prefix + name;
    if (child instanceof Module && namedChildren(child).next().done) {
      yield format(path, child.constructor.name, geometryOf(child));
    } else {
      yield* leaves(child, `${path}.`);
    }
  }
}

function geometryOf(module: Module): Record<string, unknown> {
  if (module instanceof BatchNorm2d) {
    const { epsilon, momentum } = module;
    return { channels: module.weight.shape[0], eps: epsilon, momentum };
  }
  if (module instanceof Conv2d) {
    const [out, kernel, , groupChannels] = module.weight.shape;
    const { geometry } = module;
    const bias = module.bias !== undefined;
    return { in: groupChannels * geometry.groups, out, kernel, ...geometry, bias };
  }
  return module instanceof MaxPool2d ? { ...module.geometry } : {};
}

function format(name: string, type: string, geometry: Readonly<Record<string, unknown>>): string {
  const sorted = Object.entries(geometry).sort(([a], [b]) => a < b ? -1 : 1);
  return [name, type, ...sorted.map(([key, value]) => `${key}=${value}`)].join(" ");
}
