import { bytesOf, type JsonValue, readCheckpoint } from "../../mod.ts";

/** Averages of losses, whose windows belong to the result; those of times are never the same twice. */
const LOSSES = ["cls_loss", "loc_loss", "total_loss"];

/** A digest of all that two trainings with the same seed must have in common, bit for bit. */
export async function checkpointDigest(path: string): Promise<string> {
  const { tensors, state } = await readCheckpoint(path);
  const { position, averages } = state as Record<"position" | "averages", JsonValue>;
  const windows = Object.entries(averages ?? {}).filter(([name]) => LOSSES.includes(name));
  const text = JSON.stringify([
    position,
    windows,
    Array.from(tensors, ([name, { dtype, shape }]) => [name, dtype, shape]),
  ]);
  const parts = [new TextEncoder().encode(text), ...Array.from(tensors.values(), bytesOf)];
  const bytes = await new Blob(parts as BlobPart[]).bytes();
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
