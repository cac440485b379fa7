import type { Center, Ltwh } from "../geometry/boxes.ts";
import type { Image } from "../image/image.ts";
import type { SiamBAN } from "../models/siamban.ts";
import { SearchNetwork } from "./search_network.ts";
import {
  cropSearch,
  learnTemplate,
  moveTarget,
  type ResponseGrid,
  responseGrid,
  searchSquare,
  type SiamBANTrackerOptions,
  startCenter,
  type Template,
} from "./steps.ts";
import type { Tracked, Tracker } from "./tracker.ts";

/**
 * Tracks with a SiamBAN network (siamban/tracker/siamban_tracker.py). The template lives here, not
 * in the network, so that many trackers can share one.
 */
export class SiamBANTracker implements Tracker {
  readonly #model: SiamBAN;
  readonly #network: SearchNetwork;
  readonly #options: SiamBANTrackerOptions;
  readonly #grid: ResponseGrid;
  #target?: { readonly template: Template; readonly box: Center };

  /** @param model In evaluation mode; the caller keeps and disposes of it. */
  constructor(model: SiamBAN, options: SiamBANTrackerOptions) {
    this.#model = model;
    this.#network = new SearchNetwork(model);
    this.#options = options;
    this.#grid = responseGrid(options);
  }

  /** @throws {RangeError} If the box has no area. */
  init(frame: Image, box: Ltwh): void {
    const template = learnTemplate(this.#model, { frame, box, ...this.#options });
    this[Symbol.dispose]();
    this.#target = { template, box: startCenter(box) };
  }

  track(frame: Image): Tracked {
    if (!this.#target) throw new Error("Cannot track: there is no target yet, call init() first");
    const { template, box } = this.#target, { features, border } = template;
    const { searchSize } = this.#options;
    const { scale, side } = searchSquare(box, this.#options);
    const crop = cropSearch(frame, box, { border, searchSize, side });
    const [response] = this.#network.respond([{ features, crop }]);
    const { next, ...tracked } = moveTarget(box, response, {
      options: this.#options,
      grid: this.#grid,
      scale,
      size: frame,
    });
    this.#target = { template, box: next };
    return tracked;
  }

  /** Frees the template's features, and what was prepared for them. */
  [Symbol.dispose](): void {
    this.#network[Symbol.dispose]();
    this.#target?.template[Symbol.dispose]();
    this.#target = undefined;
  }
}
