/** The networks: backbone, neck, head, and the tracker's whole. */
export * from "./backbone/mod.ts";
export * from "./freeze.ts";
export * from "./head.ts";
export * from "./nanotrack_head.ts";
export * from "./neck.ts";
export * from "./siamban.ts";
