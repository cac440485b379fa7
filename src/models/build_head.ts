import type { HeadConfig } from "../config/experiment_config.ts";
import { DepthwiseBAN, type Head, MultiBAN, UPChannelBAN } from "./head.ts";
import { NanoTrackHeadV1, NanoTrackHeadV2, NanoTrackHeadV3 } from "./nanotrack_head.ts";

/** Builds the head of a configuration. */
export function buildHead(config: HeadConfig): Head {
  switch (config.type) {
    case "UPChannelBAN":
      return new UPChannelBAN(config.kwargs);
    case "DepthwiseBAN":
      return new DepthwiseBAN(config.kwargs);
    case "MultiBAN":
      return new MultiBAN(config.kwargs);
    case "NanoTrackV1":
      return new NanoTrackHeadV1();
    case "NanoTrackV2":
      return new NanoTrackHeadV2();
    case "NanoTrackV3":
      return new NanoTrackHeadV3();
  }
}
