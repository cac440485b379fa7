/** Trackers for other programs, through the TraX protocol. */
export { serveTrax, TRAX_VERSIONS, type TraxOptions, type TraxVersion } from "./server.ts";
export { TraxError } from "./trax_error.ts";
