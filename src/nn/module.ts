/** Networks as plain objects: their field paths are the keys of a PyTorch checkpoint. */
import type { Tensor4D } from "@tensorflow/tfjs";
import { Counter, ModuleBuffer, Parameter } from "./parameter.ts";

/** What a checkpoint holds of a module. */
export type StateEntry = Parameter | ModuleBuffer | Counter;

/**
 * A part of a network. Parameters, buffers and parts of it are its fields: `convKernel[0].weight` has the
 * key `conv_kernel.0.weight`. Fields that are anything else (sizes, options) have no key.
 *
 * @example
 * ```ts
 * import { BatchNorm2d, Conv2d, Module, namedParameters, ReLU, useBackend } from "siamban";
 * import { assertEquals } from "@std/assert";
 *
 * class Stem extends Module {
 *   readonly convKernel = [new Conv2d(3, 8, { kernel: 3, bias: false }), new BatchNorm2d(8), new ReLU()];
 * }
 * await using _ = await useBackend("reference");
 * using stem = new Stem();
 * assertEquals([...namedParameters(stem)].map(({ name }) => name), [
 *   "conv_kernel.0.weight",
 *   "conv_kernel.1.weight",
 *   "conv_kernel.1.bias",
 * ]);
 * ```
 */
export abstract class Module implements Disposable {
  /** Training mode: batch norms take the batch's statistics. Set it through {@linkcode setTraining}. */
  training = true;

  /** PyTorch's name of one of this module's fields, where it is not simply {@linkcode toKey}'s. */
  keyOf(field: string): string {
    return toKey(field);
  }

  /** Frees every tensor of the module and of its parts. */
  [Symbol.dispose](): void {
    for (const { entry } of namedEntries(this)) entry.dispose();
  }
}

/** A module from one feature map to one feature map. */
export abstract class Layer extends Module {
  /** @param x `[B, H, W, C]`. */
  abstract forward(x: Tensor4D): Tensor4D;
}

/** Parts that have an index for a name: `nn.Sequential`. */
export type Sequence = readonly Module[];

/** A direct part of a module or sequence, under its PyTorch name. */
export interface NamedChild {
  readonly name: string;
  readonly child: Module | Sequence;
}

/** An entry of the state dict under its full key. */
export interface NamedEntry {
  readonly name: string;
  readonly entry: StateEntry;
}

/** A trainable tensor under its full key. */
export interface NamedParameter {
  readonly name: string;
  readonly parameter: Parameter;
}

/** PyTorch's spelling of a field name: `convKernel` is `conv_kernel`. */
export function toKey(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The parts of a module or sequence, in the order of declaration. */
export function* namedChildren(parent: Module | Sequence): Generator<NamedChild> {
  for (const [field, value] of Object.entries(parent)) {
    if (value instanceof Module || isSequence(value)) {
      yield { name: nameOf(parent, field), child: value };
    }
  }
}

/** The entries that the module itself owns: parameters, then buffers. */
export function ownEntries(module: Module | Sequence): NamedEntry[] {
  const entries = Object.entries(module)
    .filter(([, value]) => isStateEntry(value))
    .map(([field, entry]) => ({ name: nameOf(module, field), entry: entry as StateEntry }));
  const isParameter = ({ entry }: NamedEntry) => entry instanceof Parameter;
  return [...entries.filter(isParameter), ...entries.filter((named) => !isParameter(named))];
}

/**
 * All entries in the order of a PyTorch state dict: a module's own ones, then those of its parts.
 *
 * @param prefix Put in front of each name, with its dot.
 */
export function* namedEntries(root: Module | Sequence, prefix = ""): Generator<NamedEntry> {
  for (const { name, entry } of ownEntries(root)) yield { name: prefix + name, entry };
  for (const { name, child } of namedChildren(root)) {
    yield* namedEntries(child, `${prefix}${name}.`);
  }
}

/** All parameters, frozen ones too, in the order of PyTorch's `named_parameters()`. */
export function* namedParameters(
  root: Module | Sequence,
  prefix = "",
): Generator<NamedParameter> {
  for (const { name, entry } of namedEntries(root, prefix)) {
    if (entry instanceof Parameter) yield { name, parameter: entry };
  }
}

/** A module (if `root` is one) and all modules in it, in the order of declaration. */
export function* modules(root: Module | Sequence): Generator<Module> {
  if (root instanceof Module) yield root;
  for (const { child } of namedChildren(root)) yield* modules(child);
}

/** Switches a module and its parts between training and evaluation mode (`train()`, `eval()`). */
export function setTraining(root: Module | Sequence, training: boolean): void {
  for (const module of modules(root)) module.training = training;
}

/** Says whether the parameters of a module and its parts are to be trained (`requires_grad_()`). */
export function setTrainable(root: Module | Sequence, trainable: boolean): void {
  for (const { parameter } of namedParameters(root)) parameter.trainable = trainable;
}

function nameOf(parent: Module | Sequence, field: string): string {
  return parent instanceof Module ? parent.keyOf(field) : toKey(field);
}

function isSequence(value: unknown): value is Sequence {
  return Array.isArray(value) && value.length > 0 && value.every((item) => item instanceof Module);
}

function isStateEntry(value: unknown): value is StateEntry {
  return value instanceof Parameter || value instanceof ModuleBuffer || value instanceof Counter;
}
