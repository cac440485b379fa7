/**
 * Weights in and out: PyTorch files without executing them, safetensors, checkpoints that survive a
 * kill, and which tensor goes where in a model.
 */
export { isPartialFile, removePartialFiles, writeFileAtomically } from "./atomic_file.ts";
export type { WrittenFile } from "./atomic_file.ts";
export { newestWholeCheckpoint, readCheckpoint, writeCheckpoint } from "./checkpoint_file.ts";
export type { Checkpoint, CheckpointSearch, JsonValue } from "./checkpoint_file.ts";
export { bytesOf, elementCount, hostTensor, isHostTensor, toFloat32 } from "./host_tensor.ts";
export type { DType, HostTensor, StateDict, TypedArray } from "./host_tensor.ts";
export { checkKeys, findStateDict, removePrefix, selectTensors } from "./load.ts";
export type { KeyReport, LoadReport, ModelShapes, Selection } from "./load.ts";
export type { TorchWritable } from "./pickle_writer.ts";
export { OrderedDict } from "./python_value.ts";
export type { PythonValue } from "./python_value.ts";
export { readWeights } from "./read_weights.ts";
export { readSafetensors, writeSafetensors } from "./safetensors.ts";
export type { SafetensorsFile } from "./safetensors.ts";
export { readTorchFile } from "./torch_file.ts";
export type { ReadTorchOptions, TorchFile } from "./torch_file.ts";
export { groupSizes, restoreFrom, toTorchSnapshot } from "./torch_snapshot.ts";
export type { RestoredSnapshot, SgdGroup, SgdState, TorchSnapshot } from "./torch_snapshot.ts";
export { TorchTensor } from "./torch_tensor.ts";
export { writeTorchFile } from "./torch_writer.ts";
export { WeightsFileError } from "./weights_file_error.ts";
export * from "./write_aside.ts";
