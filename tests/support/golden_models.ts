import { type ExperimentConfig, parseDraft, parseReferenceYaml } from "../../src/config/mod.ts";

/** Structure of a published network: configuration, state dict, geometry, groups. */
export interface ModelStructure {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly state_dict:
    readonly (readonly [string, readonly number[], string, "param" | "buffer"])[];
  readonly n_params: number;
  readonly layers: {
    readonly modules:
      readonly (readonly [string, string, Readonly<Record<string, number | boolean>>])[];
  };
  /** Output shapes `[B, C, H, W]` by stage. */
  readonly stages: Readonly<Record<string, readonly number[]>>;
  readonly param_group_names: Readonly<
    Record<"frozen" | "finetune", readonly (readonly string[])[]>
  >;
}

/** The networks of which there are golden numbers, small to large. */
export const MODEL_NAMES = [
  "alexnet_upchannel",
  "alexnetlegacy_depthwise",
  "mobilenetv2",
  "resnet18",
  "resnet50",
] as const;

/** Reads a file of tests/fixtures/models. */
export function readModelFixture(file: string): string {
  return Deno.readTextFileSync(new URL(`../fixtures/models/${file}`, import.meta.url));
}

/** A network's structure and its experiment in our terms. */
export function readStructure(
  name: string,
): { readonly golden: ModelStructure; readonly config: ExperimentConfig } {
  const golden: ModelStructure = JSON.parse(readModelFixture(`${name}.json`));
  const draft = parseReferenceYaml(JSON.stringify(golden.config), name);
  return { golden, config: parseDraft(draft, { checkSizes: false }) };
}
