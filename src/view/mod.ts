/** Watching a tracker in a browser. */
export * from "./live_view.ts";
export * from "./recorder.ts";
