/**
 * The snapshot of the published trainer, `{epoch, state_dict, optimizer}` with the state of
 * `torch.optim.SGD`, to and from (tools/train.py, utils/model_load.py `restore_from`).
 */
import { type HostTensor, isHostTensor, type StateDict } from "./host_tensor.ts";
import {
  findStateDict,
  type ModelShapes,
  sameShape,
  type Selection,
  selectTensors,
} from "./load.ts";
import type { TorchWritable } from "./pickle_writer.ts";
import { kindOf, OrderedDict, type PythonValue } from "./python_value.ts";

/** Parameters that share their settings of `torch.optim.SGD`. */
export interface SgdGroup {
  readonly lr: number;
  /** The rate that a schedule scales. */
  readonly initialLr: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** State-dict keys, in the order in which PyTorch's `model.parameters()` has them. */
  readonly parameters: readonly string[];
}

/** The state of SGD with momentum. */
export interface SgdState {
  readonly groups: readonly SgdGroup[];
  /** Momentum by state-dict key; a parameter that never had a gradient has none. */
  readonly momentum: StateDict;
}

/** A training run at the end of an epoch. */
export interface TorchSnapshot {
  /** Epochs done. */
  readonly epoch: number;
  readonly stateDict: StateDict;
  readonly sgd: SgdState;
}

/** Lays a snapshot out for {@linkcode writeTorchFile}, so that PyTorch's trainer can resume it. */
export function toTorchSnapshot({ epoch, stateDict, sgd }: TorchSnapshot): TorchWritable {
  const state = new Map<number, TorchWritable>();
  const groups: TorchWritable[] = [];
  let next = 0;
  for (const { lr, initialLr, momentum, weightDecay, parameters } of sgd.groups) {
    // PyTorch numbers the parameters through all groups and keeps no names.
    const params = parameters.map(() => next++);
    for (const [i, key] of parameters.entries()) {
      const buffer = sgd.momentum.get(key);
      if (buffer) state.set(params[i], { momentum_buffer: buffer });
    }
    groups.push({
      lr,
      momentum,
      dampening: 0,
      weight_decay: weightDecay,
      nesterov: false,
      maximize: false,
      foreach: null,
      differentiable: false,
      initial_lr: initialLr,
      params,
    });
  }
  return {
    epoch,
    state_dict: new OrderedDict(stateDict),
    optimizer: { state, param_groups: groups },
  };
}

/** What {@linkcode restoreFrom} found. */
export interface RestoredSnapshot extends Selection {
  readonly epoch: number;
  readonly sgd: SgdState;
}

/**
 * Takes a snapshot apart for a model, as `restore_from` does.
 *
 * @param value What {@linkcode readTorchFile} read.
 * @param model The names and shapes of the model.
 * @param groups State-dict keys of each parameter group, in PyTorch's order: the file has no names.
 * @throws {TypeError} If a part is absent or of another kind.
 * @throws {RangeError} If weights, groups or momentum do not fit the model.
 */
export function restoreFrom(
  value: PythonValue,
  { model, groups }: { model: ModelShapes; groups: readonly (readonly string[])[] },
): RestoredSnapshot {
  const epoch = entryOf(value, "epoch");
  const optimizer = entryOf(value, "optimizer");
  if (typeof epoch !== "number") refuse(`epoch is ${kindOf(epoch)}, expected a number`);
  const selection = selectTensors(findStateDict(value), model);
  return { epoch, ...selection, sgd: restoreSgd(optimizer, { model, groups }) };
}

/**
 * How many parameters each group of a snapshot's optimiser has.
 *
 * @throws {TypeError} If it has no optimiser with groups.
 */
export function groupSizes(value: PythonValue): readonly number[] {
  const groups = entryOf(entryOf(value, "optimizer"), "param_groups");
  if (!Array.isArray(groups)) {
    refuse(`its parameter groups are ${kindOf(groups)}, expected a list`);
  }
  return groups.map((group) => {
    const ids = entryOf(group, "params");
    return Array.isArray(ids) ? ids.length : 0;
  });
}

function restoreSgd(
  optimizer: PythonValue,
  { model, groups }: { model: ModelShapes; groups: readonly (readonly string[])[] },
): SgdState {
  const saved = entryOf(optimizer, "param_groups");
  const state = entryOf(optimizer, "state");
  if (!Array.isArray(saved) || saved.length !== groups.length) {
    const count = Array.isArray(saved) ? saved.length : 0;
    refuse(`the optimizer has ${count} parameter groups, expected ${groups.length}`);
  }
  const momentum = new Map<string, HostTensor>();
  const restored = groups.map((parameters, i) => {
    const ids = entryOf(saved[i], "params");
    if (!Array.isArray(ids) || ids.length !== parameters.length) {
      const count = Array.isArray(ids) ? ids.length : 0;
      refuse(
        `parameter group ${i} has ${count} parameters, expected ${parameters.length}, ` +
          "check that the same layers train at this epoch",
      );
    }
    for (const [j, key] of parameters.entries()) {
      const buffer = state instanceof Map ? momentumOf(state.get(ids[j])) : undefined;
      if (buffer) momentum.set(key, checkMomentum(key, buffer, model));
    }
    return restoreGroup(saved[i], parameters);
  });
  return { groups: restored, momentum };
}

function restoreGroup(group: PythonValue, parameters: readonly string[]): SgdGroup {
  const number = (key: string, otherwise?: number): number => {
    const value = group instanceof Map ? group.get(key) ?? otherwise : undefined;
    return typeof value === "number" ? value : refuse(`${key} is ${kindOf(value)}`);
  };
  const lr = number("lr");
  return {
    lr,
    initialLr: number("initial_lr", lr),
    momentum: number("momentum", 0),
    weightDecay: number("weight_decay", 0),
    parameters,
  };
}

function momentumOf(state: PythonValue | undefined): HostTensor | undefined {
  const buffer = state instanceof Map ? state.get("momentum_buffer") : undefined;
  return isHostTensor(buffer) ? buffer : undefined;
}

function checkMomentum(key: string, buffer: HostTensor, model: ModelShapes): HostTensor {
  const expected = model.get(key);
  if (expected && sameShape(buffer.shape, expected)) return buffer;
  throw new RangeError(
    `Cannot restore the momentum of "${key}": shape is [${buffer.shape.join(", ")}], ` +
      `expected [${expected?.join(", ")}], check that the same layers train at this epoch`,
  );
}

function entryOf(value: PythonValue, key: string): PythonValue {
  const entry = value instanceof Map ? value.get(key) : undefined;
  if (entry !== undefined) return entry;
  throw new TypeError(
    `Cannot restore the snapshot: it has no ${key}, expected {epoch, state_dict, optimizer}, ` +
      "load it as pretrained weights if it has weights only",
  );
}

function refuse(fault: string): never {
  throw new RangeError(`Cannot restore the snapshot: ${fault}`);
}
