import type { Checkpoint } from "./checkpoint_file.ts";
import type { WriteRequest } from "./write_aside_worker.ts";

/**
 * Writes a checkpoint on a thread of its own, so that this one goes on with its work.
 *
 * @param checkpoint Its arrays are given away: they are empty from now on.
 * @returns Done when the file is there, whole.
 * @throws {Error} As `writeCheckpoint`.
 */
export async function writeCheckpointAside(path: string, checkpoint: Checkpoint): Promise<void> {
  const worker = new Worker(new URL("./write_aside_worker.ts", import.meta.url), {
    type: "module",
  });
  const buffers = new Set(
    Array.from(checkpoint.tensors.values(), ({ data }) => data.buffer as ArrayBuffer),
  );
  try {
    await new Promise<void>((resolve, reject) => {
      worker.onmessage = ({ data }: MessageEvent<string | null>) =>
        data === null ? resolve() : reject(new Error(data));
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(`Cannot write "${path}": ${event.message}`));
      };
      worker.postMessage({ path, checkpoint } satisfies WriteRequest, [...buffers]);
    });
  } finally {
    worker.terminate();
  }
}
