import { concat } from "@std/bytes/concat";
import { fromFileUrl, join } from "@std/path";
import type { PythonValue } from "../../src/weights/python_value.ts";
import { TorchTensor } from "../../src/weights/torch_tensor.ts";

const small = fromFileUrl(new URL("../fixtures/checkpoints", import.meta.url));
const all = fromFileUrl(new URL("../../../shared/golden/checkpoints", import.meta.url));

/** Files written by PyTorch and what they hold: all of them where they are, else the small ones. */
export const CHECKPOINTS = exists(join(all, "expected.json")) ? all : small;

/** Published weights, where they are. */
export const REAL_WEIGHTS = fromFileUrl(
  new URL("../../../shared/realdata/weights", import.meta.url),
);

export function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}

// deno-lint-ignore no-explicit-any
export function readJson(...path: string[]): any {
  return JSON.parse(Deno.readTextFileSync(join(...path)));
}

/** The names of the weights files in a folder, sorted; none where the folder is not. */
export function weightsIn(folder: string): string[] {
  if (!exists(folder)) return [];
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) => /\.pth$/.test(name))
    .sort();
}

/** The bytes of pieces, together. */
export function joinBytes(chunks: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> {
  return concat([...chunks]);
}

/** A folder of its own for a test; removed at the end of its scope. */
export function temporaryFolder(): { path: string } & Disposable {
  const path = Deno.makeTempDirSync();
  return { path, [Symbol.dispose]: () => Deno.removeSync(path, { recursive: true }) };
}

/** A value that must be a dict. */
export function asMap(value: PythonValue | undefined): ReadonlyMap<PythonValue, PythonValue> {
  if (value instanceof Map) return value;
  throw new Error("not a dict");
}

/** A value that must be a tensor of a PyTorch file. */
export function asTensor(value: PythonValue | undefined): TorchTensor {
  if (value instanceof TorchTensor) return value;
  throw new Error("not a tensor");
}
