/** Following a target through frames. */
export * from "./group.ts";
export { SearchNetwork } from "./search_network.ts";
export * from "./select.ts";
export * from "./siamban_tracker.ts";
export * from "./steps.ts";
export * from "./tracker.ts";
