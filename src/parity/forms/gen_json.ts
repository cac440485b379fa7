import { dirname, join } from "@std/path";
import { z } from "zod";
import { type Check, checkEqual } from "../check.ts";
import { prepare } from "../../data/prepare.ts";
import { annotationNames, detectFormats, TRACK_READERS } from "../../data/readers/mod.ts";
import { defineForm } from "../form.ts";
import type { GoldenFolder } from "../golden_folder.ts";

/**
 * A raw set in its published layout (`input/`) with the annotations and crops that come of it
 * (`expected/`). The list of crop files is what such a folder is recognised by.
 *
 * The set is prepared as published, into a temporary folder.
 */
export const genJsonForm = defineForm({
  section: "gen_json",
  content: z.array(z.string().regex(/\.[xz]\.jpg$/)),
  path: /(^|\/)expected\/crop_files\.json$/,
  async *compare({ path, content, folder }) {
    const set = dirname(dirname(path));
    folder.use(...folder.files.filter((file) => file.startsWith(`${set}/`)));
    const input = join(folder.root, set, "input");
    const [format, ...others] = await detectFormats(input);
    if (format === undefined || others.length > 0) {
      return yield { name: set, reason: "its form is not recognised" };
    }
    const out = await Deno.makeTempDir();
    try {
      const reading = { root: input, asPublished: true };
      const names = await annotationNames(format, reading);
      const tracks = () => TRACK_READERS[format](reading);
      const options = { out, workers: 0, asPublished: true, annotationNames: names };
      for await (const _ of prepare({ tracks, ...options }));
      for (const name of [names.train, names.val]) {
        yield await compareAnnotations({ folder, set, out, name });
      }
      yield checkEqual(`${set} crop files`, await cropFiles(out), content);
    } finally {
      await Deno.remove(out, { recursive: true });
    }
  },
});

async function compareAnnotations(
  { folder, set, out, name }: {
    readonly folder: GoldenFolder;
    readonly set: string;
    readonly out: string;
    readonly name: string;
  },
): Promise<Check> {
  const expected = flatten(await folder.json(`${set}/expected/${name}.json`));
  const found = flatten(JSON.parse(await Deno.readTextFile(join(out, `${name}.json`))));
  return checkEqual(`${set} ${name}.json`, found.sort(), expected.sort());
}

/** A line for each value of a tree, with the way to it; an empty branch is a value too. */
function flatten(tree: unknown, way = ""): string[] {
  const branches = typeof tree === "object" && tree !== null ? Object.entries(tree) : [];
  if (branches.length === 0) return [`${way} = ${JSON.stringify(tree)}`];
  return branches.flatMap(([key, branch]) => flatten(branch, `${way}/${key}`));
}

async function cropFiles(folder: string, below = "crop511"): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(folder, below))) {
    if (isDirectory) files.push(...await cropFiles(folder, `${below}/${name}`));
    else files.push(`${below}/${name}`);
  }
  return files.sort();
}
