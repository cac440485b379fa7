import { HostBackend } from "../host_backend.ts";

/**
 * Starts the backend in plain TypeScript: the oracle of the tests, and what runs where nothing native
 * can be built.
 */
export function createReference(): ReferenceBackend {
  return new ReferenceBackend();
}

/** Plain TypeScript kernels; see {@linkcode createReference}. */
export class ReferenceBackend extends HostBackend {}
