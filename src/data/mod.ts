/** From raw videos to batches. */
export * from "./annotations.ts";
export * from "./augment.ts";
export * from "./ban_dataset.ts";
export * from "./batches.ts";
export * from "./crop_store.ts";
export * from "./cropper.ts";
export * from "./crop_sheet.ts";
export * from "./frame_reader.ts";
export * from "./inspect.ts";
export * from "./labels.ts";
export * from "./loader.ts";
export * from "./prepare.ts";
export * from "./readers/mod.ts";
export * from "./sub_dataset.ts";
export * from "./synthetic/video.ts";
export * from "./track.ts";
export * from "./verify.ts";
