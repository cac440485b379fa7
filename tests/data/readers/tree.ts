import { dirname, join } from "@std/path";

/** A folder with these files; it goes away at the end of the test. */
export async function makeTree(files: Readonly<Record<string, string | Uint8Array>>) {
  const root = await Deno.makeTempDir();
  for (const [path, content] of Object.entries(files)) {
    await Deno.mkdir(join(root, dirname(path)), { recursive: true });
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await Deno.writeFile(join(root, path), bytes);
  }
  return { root, [Symbol.asyncDispose]: () => Deno.remove(root, { recursive: true }) };
}

/** Empty pictures `0001.jpg` and so on; readers do not open them. */
export function pictures(folder: string, count: number): Record<string, string> {
  const names = Array.from({ length: count }, (_, i) => String(i + 1).padStart(4, "0"));
  return Object.fromEntries(names.map((name) => [`${folder}/${name}.jpg`, ""]));
}

/** An object of an annotation: corners, and more elements. */
export function object(corners: readonly (number | string)[], more = ""): string {
  const [xmin, ymin, xmax, ymax] = corners;
  return `<object>${more}<name>n1</name><bndbox><xmax>${xmax}</xmax><xmin>${xmin}</xmin>` +
    `<ymax>${ymax}</ymax><ymin>${ymin}</ymin></bndbox></object>`;
}

/** An annotation of a picture of 96 x 72 pixels. */
export function annotation(...objects: readonly string[]): string {
  return `<annotation><filename>000000</filename><size><width>96</width><height>72</height></size>` +
    `${objects.join("")}</annotation>`;
}
