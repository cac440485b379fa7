/** The reference's numbers about data, in tests/fixtures/data. */

const FOLDER = new URL("../fixtures/data/", import.meta.url);

/** Path of a fixture. */
export function fixturePath(name: string): string {
  return new URL(name, FOLDER).pathname;
}

/** A JSON fixture. */
// deno-lint-ignore no-explicit-any
export function fixtureJson(name: string): any {
  return JSON.parse(Deno.readTextFileSync(fixturePath(name)));
}

/** A golden tensor: shape and values, int64 as numbers. */
export interface GoldenTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array | readonly number[];
}

interface TensorHeader {
  readonly dtype: "F32" | "I64";
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

/** All tensors of a gzipped safetensors fixture (length, JSON header, bytes). */
export async function fixtureTensors(name: string): Promise<Map<string, GoldenTensor>> {
  using file = await Deno.open(fixturePath(name));
  const unzipped = file.readable.pipeThrough(new DecompressionStream("gzip"));
  const bytes = await new Response(unzipped).arrayBuffer();
  const start = 8 + Number(new DataView(bytes).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(bytes.slice(8, start)));
  delete header.__metadata__;
  return new Map(
    Object.entries<TensorHeader>(header).map(([key, { shape, dtype, data_offsets }]) => {
      const [from, to] = data_offsets;
      const body = bytes.slice(start + from, start + to);
      const data = dtype === "F32"
        ? new Float32Array(body)
        : Array.from(new BigInt64Array(body), Number);
      return [key, { shape, data }];
    }),
  );
}

/** A folder of the golden numbers beside the repository, or undefined where there is none. */
export function sharedGolden(name: string): string | undefined {
  const path = new URL(`../../../shared/golden/${name}`, import.meta.url).pathname;
  try {
    Deno.statSync(path);
    return path;
  } catch {
    return undefined;
  }
}
