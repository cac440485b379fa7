import { Module, namedChildren, ownEntries, type Sequence } from "./module.ts";
import { Parameter } from "./parameter.ts";

/**
 * The tree of a model's parts and parameters, as text in the reference's form (siamban/utils/misc.py
 * `describe`): trainable parameters and parts in training mode are marked.
 *
 * @param options `color`: mark in red (ANSI), else with a star.
 */
export function describe(
  model: Module,
  { color = false }: { readonly color?: boolean } = {},
): string {
  const mark = (text: string) => color ? `\x1b[31m${text}\x1b[0m` : `${text}*`;
  return [...lines(model, { mark, indent: 0, training: model.training })].join("\n");
}

interface Context {
  readonly mark: (text: string) => string;
  readonly indent: number;
  /** Of the parent: a sequence has no mode of its own. */
  readonly training: boolean;
}

function* lines(parent: Module | Sequence, context: Context): Generator<string> {
  const { mark, indent } = context;
  const space = " ".repeat(indent);
  for (const { name, entry } of ownEntries(parent)) {
    if (!(entry instanceof Parameter)) continue;
    yield `${space}- ${entry.trainable ? mark(name) : name}`;
  }
  for (const { name, child } of namedChildren(parent)) {
    const training = child instanceof Module ? child.training : context.training;
    const type = child instanceof Module ? child.constructor.name : "Sequential";
    yield `${space}.${training ? mark(name) : name} (${type})`;
    yield* lines(child, { mark, indent: indent + name.length + 1, training });
  }
}
