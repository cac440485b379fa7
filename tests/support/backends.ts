import { BACKEND_NAMES, type BackendHandle, useBackend } from "../../src/backends/mod.ts";
import type { BackendName } from "../../src/backends/mod.ts";

/** A backend to run a test on. */
export interface TestBackend {
  readonly name: BackendName;
  /** Whether it works on this machine; a test that needs it is ignored otherwise. */
  readonly available: boolean;
  /** Makes it the current one until the handle is disposed. */
  readonly use: () => Promise<BackendHandle>;
}

/** Every backend, for tests that hold on all of them. */
export const BACKENDS: readonly TestBackend[] = await probeBackends();

/** Those of them whose tensors lie in host memory. */
export const HOST_BACKENDS: readonly TestBackend[] = BACKENDS
  .filter(({ name }) => name === "onednn" || name === "reference");

/** A test body that runs on one backend. */
export type BackendTest = (backend: TestBackend) => void | Promise<void>;

/** Registers one test a backend; the backend is in use while `run` is. */
export function testOnBackends(
  name: string,
  run: BackendTest,
  backends: readonly TestBackend[] = BACKENDS,
): void {
  for (const backend of backends) {
    Deno.test({
      name: `${name} on ${backend.name}`,
      ignore: !backend.available,
      async fn() {
        await using _ = await backend.use();
        await run(backend);
      },
    });
  }
}

async function probeBackends(): Promise<TestBackend[]> {
  const backends: TestBackend[] = [];
  for (const name of BACKEND_NAMES) {
    // What rounds more coarsely than float32 has tests of its own.
    const use = () => useBackend(name, name === "onednn" ? { winograd: false } : {});
    backends.push({ name, available: await works(use), use });
  }
  return backends;
}

async function works(use: () => Promise<BackendHandle>): Promise<boolean> {
  try {
    await using _ = await use();
    return true;
  } catch {
    return false; // nothing to build or run it with; its own tests say why
  }
}
