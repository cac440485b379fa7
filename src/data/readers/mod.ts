/** The raw sets that can be prepared: one reader a set. */
export { annotationNames } from "./coco.ts";
export { detectFormats } from "./detect.ts";
export { TRACK_READERS, type TrackFormat } from "./track_readers.ts";
