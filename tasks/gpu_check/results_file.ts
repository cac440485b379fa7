import type { Scale, Section } from "./section.ts";

/** What the check has found so far. */
export interface Results {
  readonly scale: Scale;
  readonly sections: readonly Section[];
}

/**
 * Figures as JSON, written after each section, so that a run that ends early leaves what it found. Sections
 * that an earlier run of the same scale has written stay, until they are run again.
 */
export class ResultsFile {
  readonly #path: string;
  readonly #scale: Scale;
  readonly #sections: Map<string, Section>;

  private constructor(path: string, scale: Scale, sections: Map<string, Section>) {
    this.#path = path;
    this.#scale = scale;
    this.#sections = sections;
  }

  /** Takes over what is there of the same scale. */
  static async open(path: string, scale: Scale): Promise<ResultsFile> {
    const known = await readResults(path);
    const same = JSON.stringify(known?.scale) === JSON.stringify(scale);
    const sections = same ? known!.sections.map((section) => [section.name, section] as const) : [];
    return new ResultsFile(path, scale, new Map(sections));
  }

  /** Adds a section, or puts it in the place of one of that name. */
  async add(section: Section): Promise<void> {
    this.#sections.set(section.name, section);
    const results: Results = { scale: this.#scale, sections: [...this.#sections.values()] };
    const partial = `${this.#path}.partial`;
    await Deno.writeTextFile(partial, JSON.stringify(results, null, 1));
    await Deno.rename(partial, this.#path);
  }
}

async function readResults(path: string): Promise<Results | undefined> {
  try {
    return JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
