/** Writes one checkpoint; see write_aside.ts. */
import { type Checkpoint, writeCheckpoint } from "./checkpoint_file.ts";

/** What is to be written. */
export interface WriteRequest {
  readonly path: string;
  readonly checkpoint: Checkpoint;
}

// The worker's own scope, whose types Deno does not give beside those of a window.
const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<WriteRequest>) => void;
  postMessage(failure: string | null): void;
};

scope.onmessage = ({ data: { path, checkpoint } }) => {
  writeCheckpoint(path, checkpoint).then(
    () => scope.postMessage(null),
    (error) => scope.postMessage(error instanceof Error ? error.message : String(error)),
  );
};
