/** The backbones by the type name that a configuration gives. */
import type { BackboneConfig } from "../../config/experiment_config.ts";
import { AlexNet } from "./alexnet.ts";
import { AlexNetLegacy } from "./alexnet_legacy.ts";
import type { Backbone } from "./backbone.ts";
import { MobileNetV2 } from "./mobilenet_v2.ts";
import { mobilenetV3Small, mobilenetV3SmallV3 } from "./mobilenet_v3.ts";
import { resnet18, resnet34, resnet50 } from "./resnet_atrous.ts";

export { Backbone, type Features, type Stage } from "./backbone.ts";

type Type = BackboneConfig["type"];
type Kwargs<T extends Type> = Extract<BackboneConfig, { readonly type: T }>["kwargs"];

/** A new backbone is listed here, and in the schema of the configuration. */
const BACKBONES: { readonly [T in Type]: (kwargs: Kwargs<T>) => Backbone } = {
  alexnetlegacy: (kwargs) => new AlexNetLegacy(kwargs),
  alexnet: (kwargs) => new AlexNet(kwargs),
  mobilenetv2: (kwargs) => new MobileNetV2(kwargs),
  mobilenetv3_small: mobilenetV3Small,
  mobilenetv3_small_v3: mobilenetV3SmallV3,
  resnet18,
  resnet34,
  resnet50,
};

/** Builds a backbone with its weights not yet drawn. */
export function buildBackbone({ type, kwargs }: Pick<BackboneConfig, "type" | "kwargs">): Backbone {
  return (BACKBONES[type] as (kwargs: Kwargs<Type>) => Backbone)(kwargs);
}
