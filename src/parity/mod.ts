/** The program against folders of golden numbers. */
import { GoldenFolder } from "./golden_folder.ts";
import { attempt, type Finding, type Form, type ParityOptions } from "./form.ts";
import { FORMS } from "./forms/mod.ts";

export type { Check } from "./check.ts";
export type { Finding, ParityOptions, Unknown } from "./form.ts";
export { isCheck } from "./form.ts";

/** A finding, and the section that it belongs to. */
export type SectionFinding = Finding & { readonly section: string };

/** How to compare a folder. */
export interface FolderOptions extends ParityOptions {
  /** Sections to compare; default all. See {@linkcode paritySections}. */
  readonly only?: readonly string[];
}

/** The names of all sections, in the order of comparison. */
export function paritySections(): readonly string[] {
  return [...new Set(FORMS.map(({ section }) => section))];
}

/**
 * Compares the program, on the backend in use, with a folder of golden numbers.
 *
 * Files are recognised by what they hold, wherever they lie and whatever their names are; what is
 * not compared is told as well.
 *
 * @param root A folder with anything in it that shared/golden has.
 * @returns Findings as they come.
 * @throws {Deno.errors.NotFound} If there is no such folder.
 */
export async function* checkFolder(
  root: string,
  { only, ...options }: FolderOptions,
): AsyncGenerator<SectionFinding> {
  const folder = await GoldenFolder.open(root);
  const wanted = (section: string) => !only || only.includes(section);
  const matches = new Map<Form, string[]>();
  for (const path of folder.files.filter((path) => /\.(json|txt)$/.test(path))) {
    const form = await formOf(path, folder, options);
    if (form) matches.set(form, [...matches.get(form) ?? [], path]);
  }
  for (const form of FORMS) {
    const { section } = form;
    for (const path of matches.get(form) ?? []) {
      folder.use(path);
      const content = await readContent(path, folder);
      const findings = form.match({ path, content }, { folder, options })!;
      if (!wanted(section)) continue;
      for await (const finding of attempt(path, () => findings)) yield { ...finding, section };
    }
  }
  if (only) return;
  for (const name of leftOver(folder)) {
    yield { section: "other", name, reason: "its form is not known, and no file names it" };
  }
}

async function formOf(
  path: string,
  folder: GoldenFolder,
  options: ParityOptions,
): Promise<Form | undefined> {
  const content = await readContent(path, folder);
  return FORMS.find((form) => form.match({ path, content }, { folder, options }));
}

/** Parsed JSON or text; damaged JSON is undefined. */
async function readContent(path: string, folder: GoldenFolder): Promise<unknown> {
  if (!path.endsWith(".json")) return await folder.text(path);
  try {
    return await folder.json(path);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Files that nothing has used, without those that explain the folder to people. */
function leftOver(folder: GoldenFolder): string[] {
  return folder.unused().filter((path) => !path.endsWith(".md"));
}
