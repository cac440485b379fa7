import { assertEquals } from "@std/assert";

/**
 * Levels of the architecture: what is in a folder imports only from folders of smaller numbers.
 * A file's room is the longest of these prefixes that fits.
 */
const LEVELS: Readonly<Record<string, number>> = {
  "deno.json": 0,
  "native/": 0,
  "src/collective.ts": 0,
  "src/config/": 0,
  "src/ffi/": 0,
  "src/geometry/": 0,
  "src/random.ts": 0,
  "src/distributed/": 1,
  "src/image/": 1,
  "src/ops/": 1,
  "src/weights/": 1,
  "src/backends/": 2,
  "src/data/": 2,
  "src/nn/": 2,
  "src/models/": 3,
  "src/tracking/": 4,
  "src/training/": 4,
  "src/evaluation/": 5,
  "src/view/": 5,
  "src/experiment/": 6,
  "src/parity/": 6,
  "src/search/": 6,
  "src/trax/": 6,
  "mod.ts": 7,
  "configs/": 8,
  "tests/fuzz/": 8,
  "tasks/": 9,
};

/** Configurations take no code but the type of an experiment. */
const CONFIG_IMPORTS = ["mod.ts", "src/config/"];

interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
    }[];
  }[];
}

const root = new URL("../", import.meta.url).href;

async function importsOf(entry: string): Promise<[from: string, to: string][]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", entry],
    cwd: new URL(root),
  }).output();
  const graph: ModuleGraph = JSON.parse(new TextDecoder().decode(stdout));
  return graph.modules.flatMap(({ specifier, dependencies = [] }) =>
    dependencies
      .map(({ code, type }) => (code ?? type)?.specifier ?? "")
      .filter((target) => specifier.startsWith(root) && target.startsWith(root))
      .map((target): [string, string] => [specifier.slice(root.length), target.slice(root.length)])
  );
}

function roomOf(path: string): string {
  const rooms = Object.keys(LEVELS).filter((prefix) => path.startsWith(prefix));
  return rooms.sort((a, b) => b.length - a.length)[0] ?? "";
}

function fault([from, to]: [string, string]): string | undefined {
  const [room, target] = [roomOf(from), roomOf(to)];
  if (room === "" || target === "") return `${from} imports ${to}: one of them is in no known room`;
  if (room === target) return undefined;
  if (room === "configs/" && !CONFIG_IMPORTS.includes(target)) {
    return `${from} imports ${to}: a configuration imports types only`;
  }
  return LEVELS[target] < LEVELS[room] ? undefined : `${from} imports ${to}: against the levels`;
}

/** A TypeScript file of the program; tests are no part of it. */
async function* sources(folder: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(new URL(folder, root))) {
    const path = `${folder}${entry.name}`;
    if (entry.isDirectory) yield* sources(`${path}/`);
    else if (path.endsWith(".ts")) yield path;
  }
}

/** Imports of types too, between all files of the program. */
async function allImports(): Promise<[from: string, to: string][]> {
  const entries = ["mod.ts"];
  for (const folder of ["src/", "configs/", "tasks/"]) {
    for await (const path of sources(folder)) entries.push(path);
  }
  // One graph for all files, so that a file nothing imports yet is checked as well.
  const all = await Deno.makeTempFile({ suffix: ".ts" });
  try {
    const lines = entries.map((path) => `import ${JSON.stringify(new URL(path, root).href)};`);
    await Deno.writeTextFile(all, lines.join("\n"));
    return await importsOf(all);
  } finally {
    await Deno.remove(all);
  }
}

/** What is left when every import is struck out whose file imports nothing, or is imported by nothing. */
function circles(imports: readonly [string, string][]): readonly [string, string][] {
  const from = new Set(imports.map(([from]) => from)), to = new Set(imports.map(([, to]) => to));
  const left = imports.filter(([a, b]) => to.has(a) && from.has(b));
  return left.length === imports.length ? left : circles(left);
}

Deno.test("every folder imports only from folders of smaller levels", async () => {
  const faults = (await allImports()).map(fault).filter((text) => text !== undefined);
  assertEquals(faults, []);
});

Deno.test("no files import each other in a circle, for types either", async () => {
  assertEquals(circles(await allImports()), []);
  assertEquals(circles([["a", "b"], ["b", "c"], ["c", "b"], ["c", "d"]]), [["b", "c"], ["c", "b"]]);
});
