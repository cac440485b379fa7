/**
 * SiamBAN for Deno: train, check and run Siamese box-adaptive trackers.
 *
 * @module
 */
export * from "./src/backends/mod.ts";
export * from "./src/ops/mod.ts";
