/**
 * Tracks a sequence with many settings at once. What the network answers depends on the template and
 * on the pixels it is shown, not on the settings: as long as two settings look at the same square
 * they share one pass, and the others go through the network together.
 *
 * @module
 */
import type { Answer, Region } from "../evaluation/region.ts";
import type { ProtocolName, RawResult } from "../evaluation/results.ts";
import { isOnTarget } from "../evaluation/run/follow.ts";
import { startBox } from "../evaluation/start_box.ts";
import { Trajectory } from "../evaluation/trajectory.ts";
import { SKIPPED_AFTER_FAILURE } from "../evaluation/eao.ts";
import type { Center } from "../geometry/boxes.ts";
import type { Image } from "../image/image.ts";
import type { SiamBAN } from "../models/siamban.ts";
import type { Response } from "../tracking/select.ts";
import {
  cropSearch,
  learnTemplate,
  moveTarget,
  respond,
  type ResponseGrid,
  responseGrid,
  type Search,
  type SearchSquare,
  searchSquare,
  type SiamBANTrackerOptions,
  startCenter,
  type Template,
} from "../tracking/steps.ts";

/** A network that tracks. */
export type TrackingModel = Pick<SiamBAN, "template" | "track">;

/** What is tracked, and how. */
export interface SideBySideOptions {
  readonly frames: AsyncIterable<Image> | Iterable<Image>;
  /** The target frame by frame; with restarts in every frame. */
  readonly truth: readonly (Region | null)[];
  readonly protocol: ProtocolName;
  readonly settings: readonly SiamBANTrackerOptions[];
  /** Searches that go through the network at once, at most. */
  readonly batch?: number;
}

/** What became of each setting. */
export interface SideBySideRuns {
  /** In the order of the settings. */
  readonly results: readonly RawResult[];
  /** Searches of all settings, and how many of them the network had to answer. */
  readonly searches: number;
  readonly answered: number;
}

/**
 * Tracks a sequence with every setting, as each would be tracked by itself.
 *
 * @param model In evaluation mode.
 * @throws {RangeError} If the target is not given where a tracker starts.
 */
export async function trackSideBySide(
  model: TrackingModel,
  { frames, truth, protocol, settings, batch = 8 }: SideBySideOptions,
): Promise<SideBySideRuns> {
  using templates = new SharedTemplates(model);
  const lanes = settings.map((setting) => new Lane(setting));
  let index = 0, searches = 0, answered = 0;
  for await (const frame of frames) {
    const target = truth[index] ?? null;
    const active = lanes.filter(({ template }) => template !== undefined);
    const groups = groupBySquare(active);
    searches += active.length;
    answered += groups.length;
    for (const { members, response } of answer(model, { groups, frame, batch })) {
      for (const lane of members) lane.move(response, frame, { target, protocol });
    }
    for (const lane of lanes) {
      if (lane.isDueAt(index)) lane.start(templates, { frame, index, target, protocol });
      lane.fillTo(index);
    }
    templates.keepOnly(lanes.map(({ template }) => template));
    index++;
  }
  const results = lanes.map(({ run, confidences }): RawResult => ({
    runs: [Trajectory.of(run)],
    ...protocol === "longTerm" ? { confidences: [Float64Array.from(confidences)] } : {},
  }));
  return { results, searches, answered };
}

/** A setting on its way through a sequence. */
class Lane {
  readonly setting: SiamBANTrackerOptions;
  readonly run: Answer[] = [];
  readonly confidences: number[] = [];
  readonly #grid: ResponseGrid;
  template?: Template;
  #box: Center = { cx: 0, cy: 0, w: 0, h: 0 };
  #startsAt = 0;

  constructor(setting: SiamBANTrackerOptions) {
    this.setting = setting;
    this.#grid = responseGrid(setting);
  }

  isDueAt(index: number): boolean {
    return this.template === undefined && index >= this.#startsAt;
  }

  start(
    templates: SharedTemplates,
    { frame, index, target, protocol }: {
      readonly frame: Image;
      readonly index: number;
      readonly target: Region | null;
      readonly protocol: ProtocolName;
    },
  ): void {
    if (!target) {
      // With restarts it waits for a frame with something to start from.
      if (protocol === "restart") return;
      throw new RangeError(`Cannot track: the target is not given in frame ${index + 1}`);
    }
    const box = startBox(target, protocol);
    this.template = templates.learn(index, this.setting, { frame, box });
    this.#box = startCenter(box);
    this.#tell(protocol === "ope" ? box : 1, NaN);
  }

  /** The square it looks at next; where it is the same, so are the pixels. */
  get square(): SearchSquare {
    return searchSquare(this.#box, this.setting);
  }

  crop(frame: Image): Image {
    const { border } = this.template!, { searchSize } = this.setting;
    return cropSearch(frame, this.#box, { border, searchSize, side: this.square.side });
  }

  move(
    response: Response,
    frame: Image,
    { target, protocol }: { readonly target: Region | null; readonly protocol: ProtocolName },
  ): void {
    const { next, box, score } = moveTarget(this.#box, response, {
      options: this.setting,
      grid: this.#grid,
      scale: this.square.scale,
      size: frame,
    });
    this.#box = next;
    if (protocol !== "restart" || isOnTarget(box, target, frame)) return this.#tell(box, score);
    this.template = undefined;
    this.#startsAt = this.run.length + SKIPPED_AFTER_FAILURE;
    this.#tell(2, NaN);
  }

  /** Frames that are left out after a failure. */
  fillTo(index: number): void {
    while (this.run.length <= index) this.#tell(0, NaN);
  }

  #tell(answer: Answer, confidence: number): void {
    this.run.push(answer);
    this.confidences.push(confidence);
  }
}

/** Templates by the frame and the settings they depend on. */
class SharedTemplates implements Disposable {
  readonly #model: TrackingModel;
  #learned = new Map<string, Template>();

  constructor(model: TrackingModel) {
    this.#model = model;
  }

  learn(
    index: number,
    { exemplarSize, contextAmount }: SiamBANTrackerOptions,
    { frame, box }: { readonly frame: Image; readonly box: ReturnType<typeof startBox> },
  ): Template {
    const key = `${index} ${exemplarSize} ${contextAmount}`;
    const known = this.#learned.get(key);
    if (known) return known;
    const template = learnTemplate(this.#model, { frame, box, exemplarSize, contextAmount });
    this.#learned.set(key, template);
    return template;
  }

  /** Frees those that nobody follows any more. */
  keepOnly(used: readonly (Template | undefined)[]): void {
    for (const [key, template] of this.#learned) {
      if (used.includes(template)) continue;
      template[Symbol.dispose]();
      this.#learned.delete(key);
    }
  }

  [Symbol.dispose](): void {
    this.keepOnly([]);
  }
}

/** Settings that look at the same pixels with the same template. */
interface Group {
  readonly members: readonly Lane[];
}

function groupBySquare(lanes: readonly Lane[]): Group[] {
  const byTemplate = Map.groupBy(lanes, ({ template }) => template);
  return [...byTemplate.values()].flatMap((part) => {
    const bySquare = Map.groupBy(
      part,
      ({ square: { left, top, side }, setting }) => `${left} ${top} ${side} ${setting.searchSize}`,
    );
    return [...bySquare.values()].map((members) => ({ members }));
  });
}

/** The network's answers, for as many groups at once as a batch holds. */
function* answer(
  model: TrackingModel,
  { groups, frame, batch }: {
    readonly groups: readonly Group[];
    readonly frame: Image;
    readonly batch: number;
  },
): Generator<Group & { readonly response: Response }> {
  const bySize = Map.groupBy(
    groups,
    ({ members: [{ setting, template }] }) =>
      `${setting.searchSize} ${template!.features.map(({ shape }) => shape)}`,
  );
  for (const alike of bySize.values()) {
    for (let from = 0; from < alike.length; from += batch) {
      const part = alike.slice(from, from + batch);
      const searches = part.map(({ members: [lane] }): Search => ({
        features: lane.template!.features,
        crop: lane.crop(frame),
      }));
      const responses = respond(model, searches);
      for (let i = 0; i < part.length; i++) yield { ...part[i], response: responses[i] };
    }
  }
}
