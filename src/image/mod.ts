/** Pictures on the host: reading, cutting, colours, drawing, writing. */
export * from "./blur.ts";
export * from "./color.ts";
export * from "./decode.ts";
export * from "./draw.ts";
export * from "./encode.ts";
export * from "./frames.ts";
export * from "./image.ts";
export * from "./look.ts";
export * from "./native_images.ts";
export * from "./picture_source.ts";
export * from "./resize.ts";
export * from "./subwindow.ts";
export { readVideo, type VideoInfo, videoInfo, type VideoOptions } from "./video.ts";
export * from "./video_writer.ts";
export * from "./warp.ts";
